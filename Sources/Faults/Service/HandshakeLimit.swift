public import Catalogue
import Fabric
import Wire

extension FaultName { public static let handshakeLimit = FaultName("handshake-limit") }

/// The service has too few processors for all that knock at once. Whoever waits keeps waiting when it is over, at the same pace; there is room
/// for 128, and beyond that nobody answers.
struct HandshakeLimit: Fault, NetworkFault {
    static let description = FaultDescription(
        .handshakeLimit, "lets the service take no more than so many connections with TLS `per-second`; others wait", place: .service,
        parameters: [Parameter("per-second", .count, leastCount: 1)], silences: true, leavesMarks: true)

    private let perSecond: Int
    init(_ step: Step, seed: UInt64) { perSecond = Int(step.count("per-second") ?? 1) }

    func apply(to conditions: inout LinkConditions) {
        conditions.toxics.append(Toxic(.handshakes(perSecond: perSecond, inClear: [ServicePort.updates])))
    }
}
