/// Puts the bytes of a UART together into lines.
public struct SerialLine {
    /// A line of the log is at most so long; the rest begins a new one.
    private static let longest = 256
    private var bytes: [UInt8] = []

    public init() {}

    /// A line without its end, when one is complete.
    public mutating func add(_ byte: UInt8) -> String? {
        if byte != UInt8(ascii: "\n") {
            if byte != UInt8(ascii: "\r") { bytes.append(byte) }
            if bytes.count < SerialLine.longest { return nil }
        }
        defer { bytes = [] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
