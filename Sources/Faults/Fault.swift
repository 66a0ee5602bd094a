public import Catalogue
public import Fabric
public import Wire

/// A condition that honest hardware or networks produce: what is done when it begins, and when it ends.
public protocol Fault: Sendable, SendableMetatype {
    /// All that is to be known of it beside its code.
    static var description: FaultDescription { get }
    /// - Parameter seed: Of the run.
    init(_ step: Step, seed: UInt64)
    var begin: [FaultEffect] { get }
    /// Conditions of links end by themselves.
    var end: [FaultEffect] { get }
}

extension Fault { public var end: [FaultEffect] { [] } }

/// What a fault does to the world, through the network's hands.
public enum FaultEffect {
    /// How the step's links are while it lasts.
    case condition(any NetworkFault)
    /// Out of band, to a node: a name and a JSON body.
    case command(String, [UInt8], to: String)
    /// Takes a process away and brings it back after a pause: now, or at an instant.
    case cut(String, at: Instant?, pause: Duration, hostStaysUp: Bool)
    /// Takes the power from a device in the middle of its n-th flash operation from now on, and gives it back after a pause.
    case cutAtFlashOperation(String, count: Int64, pause: Duration)
}

/// A fault of links is no more than how they are.
extension Fault where Self: NetworkFault {
    public var begin: [FaultEffect] { [.condition(self)] }
}

extension Parameter {
    /// Of toxics: 0 (no connection) … 1 (all, as without it).
    static var toxicity: Parameter { Parameter("toxicity", .ratio, isRequired: false) }
}

extension Step { var toxicity: Double { ratio("toxicity") ?? 1 } }

/// The faults that there are. A new one is a file in a folder here and a line.
public enum Faults {
    static let kinds: [any Fault.Type] = [
        LatencyFault.self, LossFault.self, BandwidthFault.self, PartitionFault.self, PowerCut.self, ServiceKill.self, ReorderFault.self,
        DuplicateFault.self, DNSOutageFault.self, ServiceSlow.self, DeviceChurn.self, ClockJump.self, ClockDrift.self, ClockLost.self,
        FlashRotFault.self,
        DiskFull.self, ResetPeerFault.self, TimeoutFault.self, SlowCloseFault.self, SlicerFault.self, LimitDataFault.self,
        CorruptFault.self,
        TruncateFault.self, Hang.self, ServiceHang.self, HandshakeLimit.self,
    ]

    public static let catalogue = ActList<FaultDescription>(kinds.map { $0.description })

    public static func make(_ name: FaultName, _ step: Step, seed: UInt64) -> (any Fault)? {
        kinds.first { $0.description.name == name }.map { $0.init(step, seed: seed) }
    }
}
