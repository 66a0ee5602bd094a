import Silicon

/// What programs ask their host for: to print, and to end with a code (Arm semihosting, release 2.0). There are no files but
/// the console and the one that says what this host can do.
struct Semihosting {
    enum Effect: Equatable {
        case none
        case print([UInt8])
        case exit(Int32)
    }

    private static let console: UInt32 = 1
    private static let features: UInt32 = 2
    private static let failed = UInt32.max
    /// ADP_Stopped_ApplicationExit.
    private static let applicationExit: UInt32 = 0x2_0026
    /// Magic, then bit 0: SYS_EXIT_EXTENDED is there; bit 1: `:tt` opens standard output and error too.
    private static let featureFile = Array("SHFB".utf8) + [3]

    private var position = 0

    mutating func answer(_ core: RealTimeCore) -> Effect {
        let (operation, parameter) = core.semihostingCall
        func words(_ count: Int) -> [UInt32] { core.words(parameter, count) ?? [UInt32](repeating: 0, count: count) }
        var result = Semihosting.failed
        var effect = Effect.none
        switch operation {
        case 0x01: result = open(core, words(3))
        case 0x02, 0x09: result = operation == 0x02 ? 0 : words(1)[0] == Semihosting.console ? 1 : 0
        case 0x03: effect = .print(core.load(parameter, 1) ?? [])
        case 0x04:
            var bytes: [UInt8] = []
            while bytes.count < 4096, let byte = core.load(parameter &+ UInt32(bytes.count), 1)?.first, byte != 0 { bytes.append(byte) }
            effect = .print(bytes)
        case 0x05:
            let block = words(3)
            if block[0] == Semihosting.console, let bytes = core.load(block[1], Int(min(block[2], 65_536))) {
                (effect, result) = (.print(bytes), block[2] - UInt32(bytes.count))
            }
        case 0x06: result = read(core, words(3))
        case 0x0A:
            position = Int(min(words(2)[1], UInt32(Semihosting.featureFile.count)))
            result = 0
        case 0x0C: result = words(1)[0] == Semihosting.features ? UInt32(Semihosting.featureFile.count) : 0
        case 0x18: return .exit(parameter == Semihosting.applicationExit ? 0 : 1)
        case 0x20:
            let block = words(2)
            return .exit(block[0] == Semihosting.applicationExit ? Int32(truncatingIfNeeded: block[1]) & 0xFF : 1)
        default: break
        }
        core.returnFromSemihosting(result)
        return effect
    }

    private mutating func open(_ core: RealTimeCore, _ block: [UInt32]) -> UInt32 {
        let name = core.load(block[0], Int(min(block[2], 64))).map { String(decoding: $0, as: UTF8.self) }
        position = 0
        return name == ":tt" ? Semihosting.console : name == ":semihosting-features" ? Semihosting.features : Semihosting.failed
    }

    /// How many bytes were not read.
    private mutating func read(_ core: RealTimeCore, _ block: [UInt32]) -> UInt32 {
        guard block[0] == Semihosting.features else { return block[2] }
        let bytes = Semihosting.featureFile.dropFirst(position).prefix(Int(min(block[2], 64)))
        guard core.debugStore(block[1], Array(bytes)) else { return block[2] }
        position += bytes.count
        return block[2] - UInt32(bytes.count)
    }
}
