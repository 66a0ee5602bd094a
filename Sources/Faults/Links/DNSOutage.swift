public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let dnsOutage = FaultName("dns-outage") }

/// The resolver is down: look-ups get no answer. Open connections go on.
public struct DNSOutageFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .dnsOutage, "gives no answer to look-ups of names", place: .links, silences: true)

    public init() {}
    public init(_ step: Step, seed: UInt64) { self.init() }
    public func apply(to conditions: inout LinkConditions) { conditions.resolves = false }
}
