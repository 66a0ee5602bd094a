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
    /// What befalls connections, and what they and datagrams carry.
    public var toxics: [Toxic] = []

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

extension NetworkFault {
    /// Whether it has to do with single connections or datagrams.
    var isToxic: Bool {
        var conditions = LinkConditions(NetworkSpec(name: "", latencyNanoseconds: 0))
        apply(to: &conditions)
        return !conditions.toxics.isEmpty
    }
}

/// Between whom a condition holds, where it does not hold for all that its targets say and hear.
public struct Sides: Sendable, Equatable {
    /// Seen from the targets, as in Chaos Mesh.
    public enum Direction: String, Sendable, CaseIterable {
        /// What goes from the targets to the other side.
        case to
        case from
        case both
    }

    public var direction: Direction
    public var networks: Set<String>
    /// With no networks either: whoever is not a target.
    public var nodes: Set<String>

    public init(_ direction: Direction, networks: Set<String> = [], nodes: Set<String> = []) {
        (self.direction, self.networks, self.nodes) = (direction, networks, nodes)
    }
}

extension Fabric.ActiveFault {
    /// Whether a condition with sides holds on the way from one node to another.
    func concerns(from: NodeSpec, to: NodeSpec) -> Bool {
        guard let sides else { return false }
        func reaches(_ one: NodeSpec, _ other: NodeSpec) -> Bool {
            guard nodes.contains(one.name) || networks.contains(one.network) else { return false }
            if sides.nodes.isEmpty && sides.networks.isEmpty { return nodes.contains(one.name) || !networks.contains(other.network) }
            return sides.nodes.contains(other.name) || sides.networks.contains(other.network)
        }
        return sides.direction != .from && reaches(from, to) || sides.direction != .to && reaches(to, from)
    }
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
    /// Faults that cut it or silence the resolver on it and are told of one by one.
    var cutBy: [String] = []
    var toxics: [Toxic] = []

    mutating func join(_ link: LinkConditions) {
        for toxic in link.toxics where !toxics.contains(where: { $0.fault == toxic.fault }) { toxics.append(toxic) }
        latency += link.latency
        jitter += link.jitter
        loss = 1 - (1 - loss) * (1 - link.loss)
        reordering = 1 - (1 - reordering) * (1 - link.reordering)
        duplication = 1 - (1 - duplication) * (1 - link.duplication)
        resolves = resolves && link.resolves
        if let rate = link.bitsPerSecond { bitsPerSecond = min(bitsPerSecond ?? rate, rate) }
    }
}
