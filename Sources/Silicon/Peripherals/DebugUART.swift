/// The debug UART's transmitter, 16550-like and never busy (mt3620-silicon §2.5).
struct DebugUART {
    /// A line of the log is at most so long; the rest begins a new one.
    private static let longestLine = 256
    private var line: [UInt8] = []
    private var registers: [UInt32: UInt32] = [:]

    private var isDivisorLatched: Bool { (registers[0x0C] ?? 0) & 0x80 != 0 }

    func read(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x08: 0x01  // IIR: no interrupt
        case 0x14: 0x60  // LSR: THRE and TEMT
        default: registers[offset] ?? 0
        }
    }

    /// Returns a line when one is complete.
    mutating func write(_ offset: UInt32, _ value: UInt32) -> String? {
        guard offset == 0, !isDivisorLatched else {
            registers[offset] = value
            return nil
        }
        let byte = UInt8(truncatingIfNeeded: value)
        if byte != UInt8(ascii: "\n") {
            if byte != UInt8(ascii: "\r") { line.append(byte) }
            if line.count < DebugUART.longestLine { return nil }
        }
        defer { line = [] }
        return String(decoding: line, as: UTF8.self)
    }
}
