/// The remote serial protocol of GDB, as a value: bytes in, commands out, answers framed (GDB manual, appendix E).
public struct DebugProtocol {
    public enum Command: Equatable {
        case packet(String)
        /// Ctrl-C.
        case interrupt
    }

    /// A packet is no longer than that.
    public static let longestPacket = 16_384
    private var buffer: [UInt8] = []

    public init() {}

    /// Complete commands in what has come; acknowledgements are `+`, refusals `-`.
    public mutating func take(_ bytes: [UInt8]) -> (commands: [Command], answers: [UInt8]) {
        buffer += bytes
        var commands: [Command] = []
        var answers: [UInt8] = []
        var left = buffer[...]
        defer { buffer = Array(left) }
        while let first = left.first {
            if first == 0x03 {
                commands.append(.interrupt)
                left.removeFirst()
            } else if first != UInt8(ascii: "$") {
                left.removeFirst()
            } else if let end = left.firstIndex(of: UInt8(ascii: "#")) {
                guard left.endIndex >= end + 3 else { break }
                let body = left[(left.startIndex + 1)..<end]
                let sum = UInt8(String(decoding: left[end + 1...end + 2], as: UTF8.self), radix: 16)
                if sum == DebugProtocol.checksum(body) {
                    answers.append(UInt8(ascii: "+"))
                    commands.append(.packet(String(decoding: body, as: UTF8.self)))
                } else {
                    answers.append(UInt8(ascii: "-"))
                }
                left = left[(end + 3)...]
            } else {
                if left.count > DebugProtocol.longestPacket { left = [] }
                break
            }
        }
        return (commands, answers)
    }

    public static func frame(_ text: String) -> [UInt8] {
        let body = Array(text.utf8)
        let sum = checksum(body[...])
        return [UInt8(ascii: "$")] + body + [UInt8(ascii: "#")] + Array(((sum < 16 ? "0" : "") + String(sum, radix: 16)).utf8)
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt8 { bytes.reduce(0) { $0 &+ $1 } }
}
