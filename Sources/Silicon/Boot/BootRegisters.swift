import Formats
import SecureChannel

/// What surrounds the security core while it boots: what it reads, and what is fixed in it.
public struct BootSurroundings {
    /// Bytes of the flash chip; nil outside of it.
    public var readFlash: (_ offset: Int, _ count: Int) -> [UInt8]?
    /// SHA-256 of the key that signs 1BL.
    public var bootKeyHash: [UInt8]
    public var counters: [Int]
    public var isSecure: Bool
    public var refusesOldVersions: Bool
    public var random: () -> UInt32
    /// Of one signature check.
    public var verifyNanoseconds: Int64
    /// RTS of the debug UART is held: recovery mode (HW-26).
    public var isStrapped = false
    /// The flash chip, as only recovery writes it here; false if it did not.
    public var changeFlash: ((FlashChange) -> Bool)?

    /// One operation of NOR flash.
    public enum FlashChange {
        case erase(sector: Int)
        case program(offset: Int, [UInt8])
    }

    public init(
        bootKeyHash: [UInt8], counters: [Int], isSecure: Bool, refusesOldVersions: Bool, verifyNanoseconds: Int64,
        random: @escaping () -> UInt32, readFlash: @escaping (_ offset: Int, _ count: Int) -> [UInt8]?
    ) {
        self.readFlash = readFlash
        self.bootKeyHash = bootKeyHash
        self.counters = counters
        self.isSecure = isSecure
        self.refusesOldVersions = refusesOldVersions
        self.random = random
        self.verifyNanoseconds = verifyNanoseconds
    }
}

/// What boot code says of one copy of an image, as `Sources/Guest/Boot/boot.h` numbers it.
public struct BootReport: Equatable, Sendable {
    public enum Result: UInt32, Sendable {
        case accepted = 0x3CA5_965A
        case notAPackage = 1
        case wrongType, untrustedSigner, badSignature, rolledBack, listFull, badTable
    }

    /// Image type; 0 for a partition table.
    public var stage: UInt32
    public var slot: UInt32
    public var offset: UInt32
    public var length: UInt32
    /// The anti-rollback counter.
    public var detail: UInt32
    /// Nil for a number that is none of ours: what a fault may leave.
    public var result: Result?
}

public struct BootMeasurement: Hashable, Sendable {
    public var type: UInt32
    public var digest: [UInt8]
    public var signer: [UInt8]
}

/// The registers that boot code uses: configuration and fuses, a hash unit that copies, a verifier for P-256, the list of
/// measurements. Their addresses are the security core's own (mt3620-silicon §1.3); their layout is ours, as the real one
/// is not public.
struct BootRegisters {
    private static let insecure: UInt32 = 0x5AC3_693C
    static let flashBase: UInt32 = 0x9000_0000
    /// Longest stretch of RAM that the hash unit takes.
    private static let longest = 128 << 10
    private static let strapped: UInt32 = 0x57A9
    /// Reading 1 MiB takes about 25 ms at 40 MB/s, our estimate for quad SPI flash.
    private static let flashByteNanoseconds: Int64 = 25

    private let surroundings: BootSurroundings
    private var registers: [UInt32: UInt32] = [:]
    private(set) var reports: [BootReport] = []
    private(set) var measurements: [BootMeasurement] = []
    private(set) var console: [UInt8] = []
    private(set) var postcodes: [UInt32] = []
    /// Time that the units around the core took.
    private(set) var spentNanoseconds: Int64 = 0
    /// The core has said that it is done.
    private(set) var end: End?
    var serial = RecoverySerial()
    /// Signatures that were checked before: the same inputs have the same answer, and glitches are tried by the thousand.
    private var known: SignatureMemory

    enum End: Equatable { case handedOver, halted(UInt32) }

    init(_ surroundings: BootSurroundings, _ known: SignatureMemory) {
        self.surroundings = surroundings
        self.known = known
    }

    mutating func read(_ address: UInt32) -> UInt32 {
        switch address {
        case 0x2108_0000: return surroundings.isSecure ? 1 : Self.insecure
        case 0x2108_0004: return surroundings.refusesOldVersions ? 1 : Self.insecure
        case 0x2108_0008: return surroundings.random()
        case 0x2108_001C: return surroundings.isStrapped ? Self.strapped : 0
        case 0x210C_0000: return serial.take(&spentNanoseconds)
        case 0x210C_000C: return serial.takeExpiry()
        case 0x2108_0100..<0x2108_0120: return word(surroundings.bootKeyHash, Int(address - 0x2108_0100))
        case 0x2108_0140..<0x2108_0170:
            let index = Int(address - 0x2108_0140) / 4
            return index < surroundings.counters.count ? UInt32(surroundings.counters[index]) : 0
        case 0x210B_0048: return UInt32(measurements.count)
        case BootRegisters.flashBase...(BootRegisters.flashBase + 0xFF_FFFF):
            return surroundings.readFlash(Int(address - BootRegisters.flashBase), 4).map { word($0, 0) } ?? .max
        default: return registers[address] ?? 0
        }
    }

    /// - Parameter memory: Loads from, or stores to, the core's own memory.
    mutating func write(_ address: UInt32, _ value: UInt32, _ memory: Engine) {
        registers[address] = value
        switch address {
        case 0x2108_000C: postcodes.append(value)
        case 0x2108_0010: if console.count < 1024 { console.append(UInt8(truncatingIfNeeded: value)) }
        case 0x2108_0014: end = end ?? .handedOver
        case 0x2108_0018: end = end ?? .halted(value)
        case 0x2108_0034: report(value)
        case 0x2109_0010: hash(memory)
        case 0x210A_00A0: verify()
        case 0x210B_0044: extend()
        case 0x210C_0004: serial.send(UInt8(truncatingIfNeeded: value), &spentNanoseconds)
        case 0x210C_0008: serial.wait(milliseconds: value)
        case 0x210D_000C: changeFlash(value, memory)
        default: break
        }
    }

    private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 { Bytes(bytes).u32(offset) ?? 0 }
    private func block(_ address: UInt32, _ words: Int) -> [UInt8] {
        (0..<words).flatMap { (registers[address + 4 * UInt32($0)] ?? 0).littleEndianBytes }
    }

    private mutating func report(_ result: UInt32) {
        guard reports.count < 256 else { return }
        let fields = (0..<5).map { registers[0x2108_0020 + 4 * UInt32($0)] ?? 0 }
        reports.append(
            BootReport(
                stage: fields[0], slot: fields[1], offset: fields[2], length: fields[3], detail: fields[4],
                result: BootReport.Result(rawValue: result)))
    }

    private mutating func hash(_ memory: Engine) {
        let (source, length) = (registers[0x2109_0000] ?? 0, Int(registers[0x2109_0004] ?? 0))
        let destination = registers[0x2109_0008] ?? 0
        var bytes: [UInt8]?
        if source >= Self.flashBase, length <= FlashLayout.totalBytes {
            bytes = surroundings.readFlash(Int(source - Self.flashBase), length)
            spentNanoseconds += Int64(length) * Self.flashByteNanoseconds
        } else if length <= Self.longest {
            bytes = memory.load(source, length)
        }
        // Into its own RAM only: a ROM cannot be written, whatever a fault makes of an address.
        if let bytes, destination >= SecurityCore.tcmBase { memory.storeCode(destination, bytes) }
        var digest = [UInt8](repeating: 0, count: 32)
        if let bytes { digest = registers[0x2109_000C] == 1 ? crc32(bytes).littleEndianBytes + digest.dropFirst(4) : known.digest(bytes) }
        for index in 0..<8 { registers[0x2109_0020 + 4 * UInt32(index)] = word(digest, 4 * index) }
    }

    private mutating func verify() {
        spentNanoseconds += surroundings.verifyNanoseconds
        let isValid = known.isValid(key: block(0x210A_0000, 16), digest: block(0x210A_0040, 8), signature: block(0x210A_0060, 16))
        registers[0x210A_00A4] = isValid ? 1 : 0
        registers[0x210A_00A8] = isValid ? ~1 : ~0
    }

    /// Times are typical ones of serial NOR flash of this size: 45 ms to erase a sector, 0.4 ms to program a page of 256 bytes.
    private mutating func changeFlash(_ operation: UInt32, _ memory: Engine) {
        let (offset, length) = (Int(registers[0x210D_0000] ?? 0), Int(registers[0x210D_0008] ?? 0))
        var isDone = false
        switch operation {
        case 1 where offset < FlashLayout.totalBytes:
            isDone = surroundings.changeFlash?(.erase(sector: offset / FlashLayout.sectorBytes)) ?? false
            spentNanoseconds += 45_000_000
        case 2 where length <= FlashLayout.sectorBytes:
            guard let bytes = memory.load(registers[0x210D_0004] ?? 0, length) else { break }
            isDone = surroundings.changeFlash?(.program(offset: offset, bytes)) ?? false
            spentNanoseconds += Int64((length + 255) / 256) * 400_000
        default: break
        }
        registers[0x210D_0010] = isDone ? 1 : 0
    }

    private mutating func extend() {
        guard measurements.count < Pluton.measurementLimit else { return }
        // Of nobody who has been checked: 32 bytes all the same (RFC 9783 section 4.4.1).
        let signer = surroundings.isSecure ? block(0x210B_0024, 8) : [UInt8](repeating: 0, count: 32)
        measurements.append(BootMeasurement(type: registers[0x210B_0000] ?? 0, digest: block(0x210B_0004, 8), signer: signer))
    }
}

/// Answers of the hash unit and of the signature verifier that were worked out before.
final class SignatureMemory {
    private var answers: [[UInt8]: Bool] = [:]
    private var digests: [[UInt8]: [UInt8]] = [:]
    private static let limit = 512

    func isValid(key: [UInt8], digest: [UInt8], signature: [UInt8]) -> Bool {
        let question = key + digest + signature
        if let answer = answers[question] { return answer }
        let answer = (try? P256PublicKey(key))?.isValid(signature: signature, digest: digest) ?? false
        if answers.count < Self.limit { answers[question] = answer }
        return answer
    }

    func digest(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count <= 4096 else { return sha256(bytes) }
        if let digest = digests[bytes] { return digest }
        let digest = sha256(bytes)
        if digests.count < Self.limit { digests[bytes] = digest }
        return digest
    }
}
