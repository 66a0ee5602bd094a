/// The resolver is down: look-ups get no answer. Open connections go on.
public struct DNSOutageFault: NetworkFault {
    public init() {}
    public func apply(to conditions: inout LinkConditions) { conditions.resolves = false }
}
