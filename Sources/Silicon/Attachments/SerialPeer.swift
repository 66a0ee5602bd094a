/// What may sit at a UART: a script with times, a file that keeps what it is told, or somebody outside.
enum SerialPeer {
    static func make(_ words: [String]) throws(AttachmentError) -> any Attachment {
        let text = words.joined(separator: ",")
        if text == "pty" { return OutsidePeer(.terminal) }
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count) {
        case ("script", 2): return try SerialScript(path: parts[1])
        case ("file", 2): return try SerialRecorder(path: parts[1])
        case ("tcp", 2):
            let ends = parts[1].split(separator: ":").map(String.init)
            guard ends.count == 2, ends[0] == "127.0.0.1" || ends[0] == "localhost", let port = UInt16(ends[1]), port > 0 else {
                throw AttachmentError("serial: '\(text)': expected tcp:127.0.0.1:PORT, a server on this machine")
            }
            return OutsidePeer(.tcp(port: port))
        default:
            throw AttachmentError("serial: '\(text)' is none of script:FILE, file:FILE, tcp:127.0.0.1:PORT and pty")
        }
    }
}

/// Where somebody who is no part of the run is reached.
public enum OutsideEnd: Equatable, Sendable {
    case terminal
    /// On 127.0.0.1.
    case tcp(port: UInt16)
}

/// A UART whose other end is outside. Whoever runs the board connects it: on the wall clock only, since nobody outside
/// waits for virtual time.
final class OutsidePeer: Attachment {
    let end: OutsideEnd
    /// What the chip has said and nobody has fetched yet.
    private var said: [UInt8] = []

    init(_ end: OutsideEnd) { self.end = end }

    func received(_ byte: UInt8, at now: Int64) -> [UInt8] {
        said.append(byte)
        return []
    }

    func takeSaid() -> [UInt8] {
        defer { said = [] }
        return said
    }
}

extension OutsideEnd {
    /// Why nobody is there where time is virtual.
    public static let needsWallClock = "somebody outside does not wait for virtual time: run it on the wall clock, or use script:FILE"
}
