public import TPMEvidence

/// The software beside a TPM: typed commands over a ``TPMTransport``, and no state of its own.
public struct TPMStack {
    public let transport: any TPMTransport

    public init(_ transport: any TPMTransport) { self.transport = transport }

    // MARK: Handles

    /// Hierarchies (part 2, section 7.4).
    public enum Hierarchy: UInt32, Sendable {
        case owner = 0x4000_0001
        case null = 0x4000_0007
        case endorsement = 0x4000_000B
        case platform = 0x4000_000C
    }

    /// TPM_RH_LOCKOUT.
    private static let lockout: UInt32 = 0x4000_000A

    /// Where persistent keys are (TCG Registry of Reserved TPM 2.0 Handles and Localities, section 2.3).
    public enum Persistent {
        public static let storageRootKey: UInt32 = 0x8100_0001
        public static let tlsKey: UInt32 = 0x8100_0002
        public static let endorsementKey: UInt32 = 0x8101_0001
        public static let attestationKey: UInt32 = 0x8101_0002
    }

    /// The certificate of the endorsement key on P-256 (EK Credential Profile, section 2.2.1.4).
    public static let endorsementCertificateIndex: UInt32 = 0x01C0_000A

    // MARK: One command

    @discardableResult func run(
        _ code: TPMCommandCode, _ handles: [UInt32] = [], _ authorizations: [TPMCommand.Authorization] = [], returns handleCount: Int = 0,
        _ parameters: (inout TPMWriter) -> Void = { _ in }
    ) throws(TPMError) -> TPMResponse {
        let command = TPMCommand(
            code: code, handles: handles, authorizations: authorizations, parameters: TPMWriter.make(parameters))
        return try TPMResponse(transport.transmit(command.encoded), handleCount: handleCount)
    }

    func read<T>(
        _ response: TPMResponse, _ body: (inout TPMReader) throws(TPMParseError) -> T
    ) throws(TPMError) -> T {
        var parameters = response.parameters
        do throws(TPMParseError) { return try body(&parameters) } catch { throw .response(error) }
    }

    // MARK: Power

    /// After power on, with all registers reset (TPM_SU_CLEAR).
    public func startup() throws(TPMError) { try run(.startup) { $0.u16(0) } }

    /// Before power goes: what is to be kept is written.
    public func shutdown() throws(TPMError) { try run(.shutdown) { $0.u16(0) } }

    /// A new owner: all keys but those of the manufacturer are gone, with all that is sealed (part 3, section 24.6).
    public func clear() throws(TPMError) { try run(.clear, [TPMStack.lockout], [.empty]) }

    public func random(_ count: Int) throws(TPMError) -> [UInt8] {
        try read(try run(.getRandom) { $0.u16(UInt16(clamping: count)) }) { p throws(TPMParseError) in try p.sized() }
    }

    /// Milliseconds since power on, and the clock.
    public func clock() throws(TPMError) -> (time: UInt64, info: TPMClockInfo) {
        try read(try run(.readClock)) { p throws(TPMParseError) in (try p.u64(), try TPMClockInfo(&p)) }
    }

    /// One property (part 2, section 6.13); nil if this TPM has none of that number.
    public func property(_ tag: UInt32) throws(TPMError) -> UInt32? {
        let response = try run(.getCapability) { w in
            w.u32(6)
            w.u32(tag)
            w.u32(1)
        }
        return try read(response) { p throws(TPMParseError) in
            _ = try p.bytes(5)
            guard try p.u32() > 0, try p.u32() == tag else { return nil }
            return try p.u32()
        }
    }

    // MARK: Registers

    /// Extends a register of the SHA-256 bank.
    /// - Parameter digest: 32 bytes.
    public func extend(_ register: Int, _ digest: [UInt8]) throws(TPMError) {
        guard 0..<24 ~= register, digest.count == 32 else { throw .argument }
        try run(.pcrExtend, [UInt32(register)], [.empty]) { w in
            w.u32(1)
            w.u16(TPMAlgorithm.sha256)
            w.put(digest)
        }
    }

    /// Extends a register in all its banks with the digest of data that the TPM makes itself; gives that of SHA-256.
    /// - Parameter data: At most 1,024 bytes.
    public func event(_ register: Int, _ data: [UInt8]) throws(TPMError) -> [UInt8]? {
        guard 0..<24 ~= register, data.count <= 1024 else { throw .argument }
        let response = try run(.pcrEvent, [UInt32(register)], [.empty]) { $0.sized(data) }
        return try read(response) { p throws(TPMParseError) in
            for _ in 0..<(try p.u32()) {
                let algorithm = try p.u16()
                let sizes = [TPMAlgorithm.sha1: 20, TPMAlgorithm.sha256: 32, TPMAlgorithm.sha384: 48, TPMAlgorithm.sha512: 64]
                guard let size = sizes[algorithm] else { throw .value(field: "hash", UInt64(algorithm)) }
                let digest = try p.bytes(size)
                if algorithm == TPMAlgorithm.sha256 { return digest }
            }
            return nil
        }
    }

    /// Measured boot: the register, then the log. An event of type `EventType.noAction` is in the log alone.
    public func measure(_ event: EventLog.Event, into log: inout EventLog) throws(TPMError) {
        if event.type != EventType.noAction { try extend(event.register, event.digest) }
        log.events.append(event)
    }

    public func registers(_ selection: PCRSelection) throws(TPMError) -> PCRValues {
        var values = PCRValues()
        var rest = selection.registers
        // A TPM answers with as many as it likes, at least one of those.
        while !rest.isEmpty {
            let response = try run(.pcrRead) { $0.put(PCRSelection(rest).encoded) }
            let (given, digests) = try read(response) { p throws(TPMParseError) in
                _ = try p.u32()
                let given = try PCRSelection(reading: &p)
                var digests: [[UInt8]] = []
                for _ in 0..<(try p.u32()) { digests.append(try p.sized()) }
                return (given.registers, digests)
            }
            guard given.count == digests.count, given.contains(where: { rest.contains($0) }) else {
                throw .response(.value(field: "pcrValues", UInt64(digests.count)))
            }
            for (register, digest) in zip(given, digests) { values[register] = digest }
            rest.removeAll { given.contains($0) }
        }
        return values
    }

    // MARK: Non-volatile memory

    /// Keeps data under an index that the platform alone writes and anybody reads, as a manufacturer keeps certificates.
    public func define(_ index: UInt32, _ data: [UInt8]) throws(TPMError) {
        guard data.count <= 2048 else { throw .argument }
        // PPWRITE, WRITEDEFINE, PPREAD, OWNERREAD, AUTHREAD, NO_DA, PLATFORMCREATE (part 2, section 13.4).
        let attributes: UInt32 = 1 << 0 | 1 << 13 | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 25 | 1 << 30
        let area = TPMWriter.make { w in
            w.u32(index)
            w.u16(TPMAlgorithm.sha256)
            w.u32(attributes)
            w.sized([])
            w.u16(UInt16(data.count))
        }
        try run(.nvDefineSpace, [Hierarchy.platform.rawValue], [.empty]) { w in
            w.sized([])
            w.sized(area)
        }
        for offset in stride(from: 0, to: data.count, by: 512) {
            try run(.nvWrite, [Hierarchy.platform.rawValue, index], [.empty]) { w in
                w.sized(Array(data[offset..<min(offset + 512, data.count)]))
                w.u16(UInt16(offset))
            }
        }
    }

    /// - Throws: ``TPMResponseCode/handle`` if nothing is kept there.
    public func data(at index: UInt32) throws(TPMError) -> [UInt8] {
        let size = try read(try run(.nvReadPublic, [index])) { p throws(TPMParseError) in
            var area = TPMReader(try p.sized())
            _ = try area.bytes(10)
            _ = try area.sized()
            return Int(try area.u16())
        }
        var data: [UInt8] = []
        while data.count < size {
            let offset = data.count
            let response = try run(.nvRead, [index, index], [.empty]) { w in
                w.u16(UInt16(min(512, size - offset)))
                w.u16(UInt16(offset))
            }
            let part = try read(response) { p throws(TPMParseError) in try p.sized() }
            guard !part.isEmpty else { throw .response(.short) }
            data += part
        }
        return data
    }
}
