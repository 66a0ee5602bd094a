/// The process in the middle, as a value: frames go in, frames come out, time is a parameter.
///
/// `now` is the wall clock's time since the hub began; in a virtual run it decides nothing.
public protocol Hub {
    mutating func receive(_ frame: Frame, from peer: String, now: Instant)
    /// Bytes that are no frame. They are refused and counted; the peer may go on.
    mutating func refused(_ error: WireError, from peer: String, now: Instant)
    /// The transport had no taker for so many frames.
    mutating func dropped(_ count: Int)
    /// Goes on with whatever is due.
    mutating func advance(now: Instant)
    mutating func takeOutgoing() -> [(peer: String, frame: Frame)]
    /// When ``advance(now:)`` is next wanted, in wall time; nil in a virtual run.
    var nextWork: Instant? { get }
    var isFinished: Bool { get }
}

/// The name of a process on the bus. The generation keeps a restarted process apart from its predecessor.
public enum PeerName {
    public static let coordinator = "coordinator/0"
    public static func of(_ node: String, _ generation: UInt32) -> String { "\(node)/\(generation)" }
    public static func split(_ peer: String) -> (node: String, generation: UInt32)? {
        guard let slash = peer.lastIndex(of: "/"), let generation = UInt32(peer[peer.index(after: slash)...]) else {
            return nil
        }
        return (String(peer[..<slash]), generation)
    }
}
