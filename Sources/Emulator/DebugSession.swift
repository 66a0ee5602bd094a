import Silicon

/// A debugger's commands carried out on an emulated device.
public final class DebugSession {
    public enum State: Equatable { case stopped, running, detached }

    public private(set) var state = State.stopped
    private let emulation: Emulation
    private var core: RealTimeCore { emulation.core }

    /// The registers that GDB numbers 0…15 and 25.
    private static let target = """
        <?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target><architecture>arm</architecture>\
        <feature name="org.gnu.gdb.arm.m-profile">\
        \((0...12).map { "<reg name=\"r\($0)\" bitsize=\"32\"/>" }.joined())\
        <reg name="sp" bitsize="32" type="data_ptr"/><reg name="lr" bitsize="32"/><reg name="pc" bitsize="32" type="code_ptr"/>\
        <reg name="xpsr" bitsize="32" regnum="25"/></feature></target>
        """

    /// Before the core has run.
    public init(_ emulation: Emulation) {
        self.emulation = emulation
        emulation.core.enableDebugging()
    }

    // MARK: While it runs

    /// Runs on for so many virtual nanoseconds; what GDB is to be told if it stopped.
    public func run(for nanoseconds: Int64) -> String? {
        switch emulation.run(until: core.now + nanoseconds) {
        case .outOfTime, .asleepForEver: return nil
        case .breakpoint: return stopped("05")
        case .exited(let code): return ended("W" + DebugSession.hex([UInt8(truncatingIfNeeded: code)]))
        case .lockedUp: return stopped("0b")
        }
    }

    public func interrupt() -> String { stopped("02") }

    private func stopped(_ signal: String) -> String {
        state = .stopped
        return "T\(signal)thread:1;"
    }

    private func ended(_ answer: String) -> String {
        state = .detached
        return answer
    }

    // MARK: Commands

    /// The answer to a packet; nil if it comes when the core stops.
    public func answer(_ packet: String) -> String? {
        let rest = String(packet.dropFirst())
        switch packet.first {
        case "?": return "T05thread:1;"
        case "g": return DebugSession.words(core.debugRegisters)
        case "G": return write(rest)
        case "p": return UInt32(rest, radix: 16).map { register($0) } ?? "E01"
        case "P": return writeOne(rest)
        case "m": return read(rest)
        case "M": return store(rest)
        case "Z", "z": return breakpoint(rest, packet.first == "Z")
        case "s": return step()
        case "c":
            state = .running
            return nil
        case "D":
            state = .detached
            return "OK"
        case "k":
            state = .detached
            return nil
        case "H", "T": return "OK"
        case "q": return query(packet)
        case "v": return multiple(packet)
        default: return ""
        }
    }

    private func query(_ packet: String) -> String {
        if packet.hasPrefix("qSupported") { return "PacketSize=4000;qXfer:features:read+;vContSupported+" }
        if packet.hasPrefix("qXfer:features:read:target.xml:") { return piece(packet) }
        switch packet {
        case "qAttached": return "1"
        case "qC": return "QC1"
        case "qfThreadInfo": return "m1"
        case "qsThreadInfo": return "l"
        default: return ""
        }
    }

    /// `…:OFFSET,LENGTH` of the target description.
    private func piece(_ packet: String) -> String {
        let numbers = (packet.split(separator: ":").last ?? "").split(separator: ",").compactMap { Int($0, radix: 16) }
        let text = Array(DebugSession.target.utf8)
        guard numbers.count == 2, numbers[0] >= 0, numbers[0] <= text.count, numbers[1] > 0 else { return "E01" }
        let end = numbers[1] < text.count - numbers[0] ? numbers[0] + numbers[1] : text.count
        return (end == text.count ? "l" : "m") + String(decoding: text[numbers[0]..<end], as: UTF8.self)
    }

    private func multiple(_ packet: String) -> String? {
        switch packet {
        case "vCont?": return "vCont;c;C;s;S"
        case let text where text.hasPrefix("vCont;s") || text.hasPrefix("vCont;S"): return step()
        case let text where text.hasPrefix("vCont;c") || text.hasPrefix("vCont;C"):
            state = .running
            return nil
        default: return ""
        }
    }

    private func step() -> String {
        if case .lockedUp = core.step() { return stopped("0b") }
        return stopped("05")
    }

    // MARK: Registers and memory

    private func register(_ number: UInt32) -> String {
        let registers = core.debugRegisters
        switch number {
        case 0...15: return DebugSession.words([registers[Int(number)]])
        case 25: return DebugSession.words([registers[16]])
        default: return "E01"
        }
    }

    private func write(_ text: String) -> String {
        guard let bytes = DebugSession.bytes(text), bytes.count == 68 else { return "E01" }
        core.debugRegisters = [UInt32](bytes)
        return "OK"
    }

    private func writeOne(_ text: String) -> String {
        let parts = text.split(separator: "=").map(String.init)
        guard parts.count == 2, let number = UInt32(parts[0], radix: 16), let bytes = DebugSession.bytes(parts[1]), bytes.count == 4,
            number <= 15 || number == 25
        else { return "E01" }
        var registers = core.debugRegisters
        registers[number == 25 ? 16 : Int(number)] = [UInt32](bytes)[0]
        core.debugRegisters = registers
        return "OK"
    }

    private func read(_ text: String) -> String {
        let numbers = text.split(separator: ",").compactMap { UInt32($0, radix: 16) }
        guard numbers.count == 2, numbers[1] <= 4096, let bytes = core.load(numbers[0], Int(numbers[1])) else { return "E01" }
        return DebugSession.hex(bytes)
    }

    private func store(_ text: String) -> String {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let address = UInt32(parts[0].prefix { $0 != "," }, radix: 16), let bytes = DebugSession.bytes(parts[1]),
            core.debugStore(address, bytes)
        else { return "E01" }
        return "OK"
    }

    /// Breakpoints of both kinds are the emulator's own: the program does not see them.
    private func breakpoint(_ text: String, _ isSet: Bool) -> String {
        let parts = text.split(separator: ",").map(String.init)
        guard parts.count >= 2, parts[0] == "0" || parts[0] == "1", let address = UInt32(parts[1], radix: 16) else { return "" }
        core.setBreakpoint(address, isSet)
        return "OK"
    }

    // MARK: Hexadecimal digits

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func words(_ words: [UInt32]) -> String {
        hex(words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) } })
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

extension [UInt32] {
    fileprivate init(_ bytes: [UInt8]) {
        self = stride(from: 0, to: bytes.count - 3, by: 4).map { start in
            (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
        }
    }
}
