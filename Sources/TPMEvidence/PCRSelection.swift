import SecureChannel

/// Which platform configuration registers of the SHA-256 bank: TPML_PCR_SELECTION with one TPMS_PCR_SELECTION (part 2,
/// sections 10.6 and 10.9).
public struct PCRSelection: Hashable, Sendable {
    /// In rising order, each once.
    public let registers: [Int]

    public init(_ registers: some Sequence<Int>) {
        self.registers = Set(registers.filter { 0..<24 ~= $0 }).sorted()
    }

    public var encoded: [UInt8] {
        TPMWriter.make { w in
            w.u32(1)
            w.u16(TPMAlgorithm.sha256)
            w.u8(3)
            for byte in 0..<3 { w.u8(registers.filter { $0 / 8 == byte }.reduce(0) { $0 | 1 << UInt8($1 % 8) }) }
        }
    }

    public init(reading reader: inout TPMReader) throws(TPMParseError) {
        let count = try reader.u32()
        guard count == 1 else { throw .value(field: "pcrSelect.count", UInt64(count)) }
        let hash = try reader.u16()
        guard hash == TPMAlgorithm.sha256 else { throw .value(field: "pcrSelect.hash", UInt64(hash)) }
        let size = try reader.u8()
        guard size <= 3 else { throw .value(field: "sizeofSelect", UInt64(size)) }
        var registers: [Int] = []
        for (index, byte) in try reader.bytes(Int(size)).enumerated() {
            registers += (0..<8).filter { byte & 1 << UInt8($0) != 0 }.map { index * 8 + $0 }
        }
        self.registers = registers
    }

    /// The digest over the registers' values, as a quote and PolicyPCR have it; nil if one is missing.
    public func digest(of values: PCRValues) -> [UInt8]? {
        var all: [UInt8] = []
        for register in registers {
            guard let value = values[register] else { return nil }
            all += value
        }
        return sha256(all)
    }
}

/// Values of registers of the SHA-256 bank, 32 bytes each.
public struct PCRValues: Hashable, Sendable {
    private var values: [Int: [UInt8]]

    public init(_ values: [Int: [UInt8]] = [:]) { self.values = values.filter { 0..<24 ~= $0.key && $0.value.count == 32 } }

    /// As they are when the TPM is reset: zeros, and ones in the registers of a dynamic launch (PC Client Platform TPM Profile,
    /// section 4.6.3).
    public static let atReset = PCRValues(
        Dictionary(uniqueKeysWithValues: (0..<24).map { ($0, [UInt8](repeating: 17...22 ~= $0 ? 0xFF : 0, count: 32)) }))

    public subscript(register: Int) -> [UInt8]? {
        get { values[register] }
        set { if let newValue, newValue.count == 32, 0..<24 ~= register { values[register] = newValue } }
    }

    /// As TPM2_PCR_Extend does.
    public mutating func extend(_ register: Int, _ digest: [UInt8]) {
        guard let old = values[register] else { return }
        values[register] = sha256(old + digest)
    }

    public var registers: [Int] { values.keys.sorted() }
}

/// Policy digests that are known without a TPM (part 3, section 23).
public enum TPMPolicy {
    /// PolicyPCR alone: the registers have these values. Nil if one of the values is missing.
    public static func pcr(_ selection: PCRSelection, _ values: PCRValues) -> [UInt8]? {
        guard let digest = selection.digest(of: values) else { return nil }
        let old = [UInt8](repeating: 0, count: 32)
        return sha256(old + TPMWriter.make { $0.u32(0x0000_017F) } + selection.encoded + digest)
    }
}
