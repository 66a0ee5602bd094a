/// A congested or distant link: every packet takes `delay` longer, one way.
public struct LatencyFault: NetworkFault {
    public let delay: Duration
    public init(delay: Duration) { self.delay = delay }
    public func apply(to conditions: inout LinkConditions) { conditions.latency += delay }
}
