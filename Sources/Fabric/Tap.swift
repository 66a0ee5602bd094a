public import Wire

/// One thing on its way through the network, as somebody on the path sees it.
public struct Passage: Sendable {
    public enum Content: Equatable, Sendable {
        case connect(to: Endpoint)
        case data([UInt8])
        case datagram([UInt8], to: Endpoint)
        case lookup(name: String, answer: Address?)
    }
    public let from: String
    /// The node that it is meant for; nil for a look-up.
    public let to: String?
    /// The fabric's number of the stream; 0 outside streams.
    public let stream: Int
    public var content: Content
    /// Sent before and lost.
    public var isRetransmission = false
    public var dropped = false
    /// A node of the adversary that answers in place of the one that was meant.
    public var divertedTo: String?
    public var facts: [Fact] = []
    /// The taps that have changed, diverted or kept back what they saw.
    var hands: [Origin] = []
}

/// What somebody said, with who it was: a name alone does not tell.
public struct Statement: Sendable {
    public var by: Origin
    public var observation: Observation

    public static func inJournalOrder(_ a: Statement, _ b: Statement) -> Bool {
        if Observation.inJournalOrder(a.observation, b.observation) { return true }
        return !Observation.inJournalOrder(b.observation, a.observation) && a.by < b.by
    }
}

/// A position on the network from which an adversary (or a recorder) sees and changes what passes.
public protocol Tap {
    mutating func inspect(_ passage: inout Passage, now: Instant)
}
