import Formats
import SecureChannel

/// Pluton's commands as the A7 sends them: a word with version, sequence, command and buffer, and buffers of 2,048 bytes in
/// shared memory (HW-28, mt3620-silicon §6). Anything may be sent: what breaks the rules is not answered, and counted.
public struct PlutonMailbox {
    public enum Command: UInt8, Sendable, CaseIterable {
        case setPostcode = 0x02
        case getBootModeFlags = 0x03
        case readRandom = 0x40
        case getSecurityState = 0x41
        case isCapabilityEnabled = 0x48
        case getEnabledCapabilities = 0x49
        case generateClientAuthKey = 0x4A
        case getTenantPublicKey = 0x4B
        case processAttestation = 0x4C
        case signWithTenantKey = 0x4D
        case commitClientAuthKey = 0x4E
        case deviceReset = 0x50
        case getManufacturingState = 0x51
        case setManufacturingState = 0x52
    }

    /// Why a command was not answered.
    public enum Refusal: Error, Equatable, Sendable {
        case version(UInt8), reservedSequence, unknownCommand(UInt8), buffer(UInt8), size(Int), noBuffer
    }

    public static let version: UInt8 = 2
    private static let attestationSelector: UInt32 = 1
    public static let bufferBytes = 2048
    /// Buffers that Pluton answers in, and those that the A7 asks in.
    public static let ownBuffers = 0..<32
    public static let theirBuffers = 32..<48
    /// Without it a state is not set (HW-21).
    public static let manufacturingMagic: UInt32 = 0x5F04_C5AB

    private let pluton: Pluton
    private let fuses: FuseBank
    /// False for firmware that copies a request without a look at its length: what is too long runs into the variable behind
    /// the buffer, which says what key is to sign.
    public var checksLength = true
    /// Payloads by buffer; a buffer of ours is taken until it is freed.
    private var buffers: [UInt8: [UInt8]] = [:]
    private var seed: [UInt8]
    private var nextSeed: [UInt8]?
    public var capabilities: [UInt16] = []
    public private(set) var postcode: UInt32 = 0
    public private(set) var wantsReset = false

    /// - Parameter seed: Of the client authentication key that is committed.
    public init(pluton: Pluton, fuses: FuseBank, seed: [UInt8]) {
        self.pluton = pluton
        self.fuses = fuses
        self.seed = seed
    }

    /// What the A7 puts into one of its buffers: the payload behind the size, as far as the size says.
    public mutating func fill(_ index: UInt8, _ buffer: [UInt8]) {
        let bytes = Bytes(buffer)
        guard PlutonMailbox.theirBuffers.contains(Int(index)), let size = bytes.u16(0), size % 4 == 0,
            let payload = bytes.block(4, Int(size)),
            payload.count <= PlutonMailbox.bufferBytes - 4
        else {
            buffers[index] = nil
            return
        }
        buffers[index] = payload
    }

    public func payload(_ index: UInt8) -> [UInt8]? { buffers[index] }
    public mutating func free(_ index: UInt8) { if PlutonMailbox.ownBuffers.contains(Int(index)) { buffers[index] = nil } }

    public static func word(_ command: Command, sequence: UInt8, buffer: UInt8 = 32) -> UInt32 {
        UInt32(version) | UInt32(sequence) << 8 | UInt32(command.rawValue) << 16 | UInt32(buffer) << 24
    }

    /// Carries a command out. The answer has the same sequence and command, and the buffer of the answer.
    public mutating func take(_ word: UInt32) -> Result<UInt32?, Refusal> {
        let version = UInt8(truncatingIfNeeded: word)
        guard version == PlutonMailbox.version else { return .failure(.version(version)) }
        guard word >> 8 & 0xFF != 0 else { return .failure(.reservedSequence) }
        let code = UInt8(truncatingIfNeeded: word >> 16)
        guard let command = Command(rawValue: code) else { return .failure(.unknownCommand(code)) }
        let index = UInt8(truncatingIfNeeded: word >> 24)
        let needed = command.requestBytes
        let request = buffers[index] ?? []
        if needed > 0 {
            guard PlutonMailbox.theirBuffers.contains(Int(index)), buffers[index] != nil else { return .failure(.buffer(index)) }
            guard request.count == needed || !checksLength && request.count > needed else { return .failure(.size(request.count)) }
        }
        guard let answer = carryOut(command, request) else { return .success(nil) }
        guard let free = PlutonMailbox.ownBuffers.map(UInt8.init).first(where: { buffers[$0] == nil }) else { return .failure(.noBuffer) }
        buffers[free] = answer + [UInt8](repeating: 0, count: (4 - answer.count % 4) % 4)
        return .success(word & 0x00FF_FFFF | UInt32(free) << 24)
    }

    private mutating func carryOut(_ command: Command, _ request: [UInt8]) -> [UInt8]? {
        let bytes = Bytes(request)
        switch command {
        case .setPostcode:
            postcode = bytes.u32(0) ?? 0
            return nil
        case .getBootModeFlags: return UInt32(0).littleEndianBytes
        case .readRandom: return pluton.random(4)
        case .getSecurityState:
            return UInt32(fuses.securityState.rawValue).littleEndianBytes + pluton.generalPublicKey.bytes + pluton.devicePublicKey.bytes
        case .isCapabilityEnabled: return [capabilities.contains(bytes.u16(0) ?? 0) ? 1 : 0]
        case .getEnabledCapabilities:
            let list =
                Array(capabilities.prefix(CapabilityFile.limit))
                + [UInt16](repeating: 0, count: max(0, CapabilityFile.limit - capabilities.count))
            return list.flatMap(\.littleEndianBytes)
        case .generateClientAuthKey:
            nextSeed = pluton.random(32)
            return UInt32(0).littleEndianBytes
        case .commitClientAuthKey:
            guard let nextSeed else { return UInt32(1).littleEndianBytes }
            (seed, self.nextSeed) = (nextSeed, nil)
            return UInt32(0).littleEndianBytes
        case .getTenantPublicKey: return tenantKey(request).publicKey.bytes
        case .signWithTenantKey:
            let digest = Array(request[64..<96])
            if bytes.u32(96) == PlutonMailbox.attestationSelector { return pluton.signQuote(digest) }
            return tenantKey(Array(request[..<64])).sign(digest: digest)
        case .processAttestation: return attestation(nonce: request)
        case .deviceReset:
            wantsReset = true
            return nil
        case .getManufacturingState: return UInt32(0).littleEndianBytes + fuses.manufacturingState.rawValue.littleEndianBytes
        case .setManufacturingState:
            guard bytes.u32(0) == PlutonMailbox.manufacturingMagic, let state = bytes.u32(4).flatMap(ManufacturingState.init(rawValue:)),
                fuses.advance(to: state)
            else { return UInt32(1).littleEndianBytes }
            return UInt32(0).littleEndianBytes
        }
    }

    /// HW-30: each tenant's key is its own.
    private func tenantKey(_ tenant: [UInt8]) -> any SigningKey { pluton.clientAuthKey(seed: seed + tenant) }

    /// Success, public key, signature, count, and as many measurements as HW-29 allows. Signed is what stands before it in
    /// the order nonce, count, measurements.
    private func attestation(nonce: [UInt8]) -> [UInt8] {
        var list: [UInt8] = []
        for index in 0..<Pluton.measurementLimit {
            let measurement = index < pluton.measurements.count ? pluton.measurements[index] : nil
            list += (measurement.flatMap { UInt32($0.type) } ?? 0).littleEndianBytes
            list += measurement?.measurement ?? [UInt8](repeating: 0, count: 32)
        }
        let count = UInt32(pluton.measurements.count).littleEndianBytes
        return UInt32(1).littleEndianBytes + pluton.devicePublicKey.bytes + pluton.signQuote(sha256(nonce + count + list)) + count + list
    }
}

extension PlutonMailbox.Command {
    /// What a request must hold, rounded up to words.
    var requestBytes: Int {
        switch self {
        case .setPostcode, .isCapabilityEnabled: 4
        case .getTenantPublicKey: 64
        case .processAttestation: 32
        case .signWithTenantKey: 96
        case .setManufacturingState: 8
        default: 0
        }
    }
}
