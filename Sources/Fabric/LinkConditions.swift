import Wire

/// What a packet meets on one network.
public struct LinkConditions: Equatable, Sendable {
    public var latency: Duration
    public var jitter: Duration
    public var bitsPerSecond: Int64?
    public var loss: Double
    /// Shares of the datagrams, 0…1.
    public var reordering = 0.0
    public var duplication = 0.0
    /// Names are answered.
    public var resolves = true
    /// Nothing leaves (a network: towards other networks; a node: towards anybody).
    public var cut = false

    public init(_ spec: NetworkSpec) {
        latency = .nanoseconds(spec.latencyNanoseconds)
        jitter = .nanoseconds(spec.jitterNanoseconds)
        bitsPerSecond = spec.bitsPerSecond
        loss = spec.lossRatio
    }
}

/// A condition that holds on some links for some time. It says how links are while it lasts; the fabric
/// works out conditions anew when one begins or ends, so that ending it leaves nothing behind.
public protocol NetworkFault: Sendable {
    func apply(to conditions: inout LinkConditions)
}

/// The links from one node to another, taken together.
struct Path: Equatable {
    var latency = Duration.zero
    var jitter = Duration.zero
    var bitsPerSecond: Int64?
    var loss = 0.0
    var reordering = 0.0
    var duplication = 0.0
    var resolves = true
    var cut = false

    mutating func join(_ link: LinkConditions) {
        latency += link.latency
        jitter += link.jitter
        loss = 1 - (1 - loss) * (1 - link.loss)
        reordering = 1 - (1 - reordering) * (1 - link.reordering)
        duplication = 1 - (1 - duplication) * (1 - link.duplication)
        resolves = resolves && link.resolves
        if let rate = link.bitsPerSecond { bitsPerSecond = min(bitsPerSecond ?? rate, rate) }
    }
}
