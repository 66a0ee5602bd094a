public import Catalogue
import Exchange
public import Fabric
public import Wire

/// A deliberate act of an adversary. It acts only through what a real attacker has: a position on a
/// network, nodes of its own, a copied flash chip, a secret found in a device that it took apart. It cannot
/// know which controls are on, and writes no verdict: it says what it saw.
public protocol Attack: AnyObject, SendableMetatype {
    /// All that is to be known of it beside its code.
    static var description: AttackDescription { get }
    init(_ step: Step)
    /// Takes its position.
    func apply(_ arena: inout Arena)
    /// Leaves everything as it found it.
    func recover(_ arena: inout Arena)
    /// Something reached a node of the attacker's.
    func handle(_ event: Event, at node: String, _ out: inout Outbox)
    /// A device of the attacker's own, run as a process, or one in his hands reports.
    func observed(_ fact: Fact, by node: String, at: Instant) -> Fact?
    var nextWake: Instant? { get }
}

extension Attack {
    public func handle(_ event: Event, at node: String, _ out: inout Outbox) {}
    public func observed(_ fact: Fact, by node: String, at: Instant) -> Fact? { nil }
    public var nextWake: Instant? { nil }
}

/// What an attack can reach: the network, what is printed on devices, what it stole, and new hardware.
public struct Arena {
    public var fabric: Fabric
    private(set) var names: CatalogNames
    /// The node of the security service that devices of the fleet are to go to.
    private(set) var service = ServiceNode.maker
    let epochSeconds: Int64
    let loot: Loot
    /// Device IDs, as the service ports show them to whoever holds the device.
    public var labels: [String: String] = [:]
    /// The last evidence of each device that the service accepted, as its log has it.
    public var loggedEvidence: [String: LoggedEvidence] = [:]
    /// The attack at work, by its step: owner of nodes, taps and facts made meanwhile.
    public var actor = 0
    public private(set) var owners: [String: Int] = [:]
    /// Devices of the fleet that attackers have in hand, and whose.
    public private(set) var watched: [String: Set<Int>] = [:]
    private(set) var orders: [ProcessOrder] = []
    /// The host part of the last address that an attacker was given, by network; none is given twice.
    private var lastHosts: [UInt32: UInt32] = [:]

    public init(fabric: Fabric, names: CatalogNames, epochSeconds: Int64, loot: Loot) {
        self.fabric = fabric
        self.names = names
        self.epochSeconds = epochSeconds
        self.loot = loot
    }

    /// The fleet has changed its owner.
    public mutating func handOver(to service: String, _ names: CatalogNames) { (self.service, self.names) = (service, names) }

    /// Puts a node of the attacker's into the network of a victim; nil if that cannot be, since the name is taken or
    /// the network is full. What comes from its address is the attack's doing.
    ///
    /// - Parameter double: The victim for whom the node passes itself off.
    mutating func attach(_ name: String, near victim: String, isProcess: Bool = false, double: String? = nil) -> NodeSpec? {
        guard let neighbour = fabric.spec(of: victim), fabric.spec(of: name) == nil,
            let address = freeAddress(near: neighbour.address)
        else { return nil }
        let spec = NodeSpec(
            name: name, role: .device, network: neighbour.network, address: address,
            host: "\(name).attacker.internal")
        fabric.attach(spec, isLocal: !isProcess, owner: .step(actor))
        if isProcess { fabric.heeded.insert(name) }
        owners[name] = actor
        var mark: [Fact.Detail: Fact.Value] = [.address: .text("\(address)")]
        if let double { mark[.target] = .text(double) }
        say(Fact(.trace, mark))
        return spec
    }

    /// From the top of the network down: the fleet's own grow from below.
    private mutating func freeAddress(near neighbour: Address) -> Address? {
        let network = neighbour.bits & 0xFFFF_0000
        var host = lastHosts[network] ?? 0xFFFF
        while host > 1 {
            host -= 1
            lastHosts[network] = host
            let address = Address(bits: network | host)
            if !fabric.isInUse(address) { return address }
        }
        return nil
    }

    mutating func detach(_ name: String) {
        guard owners[name] == actor else { return }
        fabric.detach(name)
        owners[name] = nil
    }

    /// Writes down what the attack at work does.
    mutating func say(_ fact: Fact) { fabric.observe(fact, by: .step(actor)) }

    /// What has been tried on a target, by a way that has this name.
    mutating func tried(_ way: String, on target: String) { say(Fact(.attackStep, [.step: .text(way), .target: .text(target)])) }

    /// Sees what a device in hand prints.
    mutating func watch(_ node: String) { watched[node, default: []].insert(actor) }
    public mutating func unwatch() {
        for node in watched.keys { watched[node]?.remove(actor) }
        watched = watched.filter { !$0.value.isEmpty }
    }

    mutating func tap(_ tap: any Tap) { fabric.taps.append((.step(actor), tap)) }
    mutating func untap() { fabric.taps.removeAll { $0.by == .step(actor) } }

    /// Nobody switches off by name what is not his.
    mutating func order(_ order: ProcessOrder) {
        let makesNew = order.verb == .kill || order.verb == .clone || order.verb == .duplicate
        if !makesNew || owners[order.node] == actor { orders.append(order) }
    }
    public mutating func takeOrders() -> [ProcessOrder] {
        defer { orders = [] }
        return orders
    }
}

extension Outbox {
    /// What was tried on a target and came to nothing.
    mutating func failed(
        _ way: String, on target: String, _ failure: Failure, _ connection: Connection?, more: [Fact.Detail: Fact.Value] = [:]
    ) {
        var details = failure.details.merging(more) { $1 }
        details[.step] = .text(way)
        details[.target] = .text(target)
        details[.result] = "failed"
        if let connection { details[.connection] = .text("\(connection)") }
        observe(.attackStep, details)
    }

    mutating func succeeded(on target: String, _ evidence: String) {
        observe(.attackSucceeded, [.target: .text(target), .evidence: .text(evidence)])
    }
}

/// The attacks that there are. A new one is a file in `Attacks/` and a line here.
public enum Attacks {
    static let kinds: [any Attack.Type] = [
        TLSInterception.self, RecordTamper.self, RogueDevice.self, ClonedDevice.self, DNSSpoof.self, RecordReplay.self, TimeSpoof.self,
        Downgrade.self, StaleMeasurement.self, ModifiedImage.self, BootGlitch.self, DebugPort.self, UpdateRollback.self,
        UpdateFreeze.self, UpdateMixAndMatch.self, EndlessData.self, StolenSigningKey.self, StolenDeviceKey.self, StolenCatalogCA.self,
        CredentialFlood.self, Botnet.self, RemoteExploit.self, Escalation.self, SlowRequests.self,
    ]

    public static let catalogue = ActList<AttackDescription>(kinds.map { $0.description })

    public static func make(_ step: Step, _ name: AttackName) -> (any Attack)? {
        kinds.first { $0.description.name == name }.map { $0.init(step) }
    }
}

/// Evidence of a device, as the service's log has it.
public struct LoggedEvidence: Sendable {
    /// Nil for a PSA token.
    public var mediaType: String?
    public var bytes: [UInt8]
    public init(mediaType: String?, _ bytes: [UInt8]) { (self.mediaType, self.bytes) = (mediaType, bytes) }
}
