public import Wire

/// Grants nodes stretches of virtual time so that none ever acts on a past that is not complete.
///
/// Conservative, after Chandy, Misra and Bryant: a node may run up to the earliest instant at which anybody
/// else could send, plus the least time that anything takes to arrive. The order of what happens does not
/// depend on how long the stretches are.
public struct Scheduler {
    private struct State {
        var nextWork: Instant
        var nextSend: Instant
        var inbox: [Delivery] = []
        var isRunning = false

        var firstArrival: Instant { inbox.map(\.at).min() ?? .never }
        var work: Instant { min(nextWork, firstArrival) }
        var send: Instant { min(nextSend, firstArrival) }
    }

    private var states: [String: State] = [:]
    private let lookahead: Duration
    /// Nodes of whose facts the network makes something: it waits for all that they do, not only for what they send.
    public var witnesses: Set<String> = []

    public init(lookahead: Duration) { self.lookahead = lookahead }

    public mutating func join(_ node: String, nextWork: Instant) {
        states[node] = State(nextWork: nextWork, nextSend: nextWork)
    }

    public mutating func leave(_ node: String) { states[node] = nil }

    public mutating func deliver(_ delivery: Delivery, to node: String) {
        states[node]?.inbox.append(delivery)
    }

    public mutating func yielded(_ node: String, _ yield: Yield) {
        states[node]?.isRunning = false
        states[node]?.nextWork = yield.nextWork
        states[node]?.nextSend = max(yield.nextSend, .start)
    }

    public var isAnyRunning: Bool { states.values.contains { $0.isRunning } }
    public func isRunning(_ node: String) -> Bool { states[node]?.isRunning ?? false }

    /// Nobody can send before this, and no witness can say anything; what the network does before it is final.
    public var safe: Instant {
        states.map { name, state in witnesses.contains(name) ? state.work : state.send }.min() ?? .never
    }

    /// The earliest work of any node: nothing is observed before this any more.
    public var settled: Instant { states.values.map(\.work).min() ?? .never }

    /// The grants that can be given now. `network` is the earliest thing that the fabric itself will do, and
    /// nothing runs past `limit`.
    public mutating func grants(network: Instant, limit: Instant) -> [(node: String, grant: Grant)] {
        var (least, second, holder) = (Instant.never, Instant.never, "")
        for (name, state) in states {
            if state.send < least || (state.send == least && name < holder) {
                (second, least, holder) = (least, state.send, name)
            } else if state.send < second {
                second = state.send
            }
        }
        var grants: [(node: String, grant: Grant)] = []
        for name in states.keys.sorted() {
            guard let state = states[name], !state.isRunning else { continue }
            let others = name == holder ? second : least
            let until = min(min(network, others) + lookahead, limit)
            guard state.work < until else { continue }
            let grant = Grant(until: until, lookahead: lookahead, deliveries: state.inbox)
            // While it runs it may send from its first piece of work on.
            states[name]?.nextSend = state.send
            states[name]?.nextWork = state.work
            states[name]?.inbox = []
            states[name]?.isRunning = true
            grants.append((name, grant))
        }
        return grants
    }
}
