import Fabric
import Wire

/// A deliberate act of an adversary. It acts only through what a real attacker has: a position on a
/// network, nodes of its own, a copied flash chip, a secret found in a device that it took apart. It cannot
/// know which controls are on, and writes no verdict: it says what it saw.
protocol Attack: AnyObject {
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
    func handle(_ event: Event, at node: String, _ out: inout Outbox) {}
    func observed(_ fact: Fact, by node: String, at: Instant) -> Fact? { nil }
    var nextWake: Instant? { nil }
}

/// What an attack can reach: the network, what is printed on devices, what it stole, and new hardware.
struct Arena {
    var fabric: Fabric
    let names: CatalogNames
    let epochSeconds: Int64
    let loot: Loot
    /// Device IDs, as the service ports show them to whoever holds the device.
    var labels: [String: String] = [:]
    /// The last evidence of each device that the service accepted, as its log has it.
    var loggedEvidence: [String: [UInt8]] = [:]
    /// The attack at work, by its step: owner of nodes, taps and facts made meanwhile.
    var actor = 0
    private(set) var owners: [String: Int] = [:]
    /// Devices of the fleet that attackers have in hand, and whose.
    private(set) var watched: [String: Set<Int>] = [:]
    private(set) var orders: [ProcessOrder] = []
    /// The host part of the last address that an attacker was given, by network; none is given twice.
    private var lastHosts: [UInt32: UInt32] = [:]

    init(fabric: Fabric, names: CatalogNames, epochSeconds: Int64, loot: Loot) {
        self.fabric = fabric
        self.names = names
        self.epochSeconds = epochSeconds
        self.loot = loot
    }

    /// Puts a node of the attacker's into the network of a victim; nil if that cannot be, since the name is taken or
    /// the network is full.
    mutating func attach(_ name: String, near victim: String, isProcess: Bool = false) -> NodeSpec? {
        guard let neighbour = fabric.spec(of: victim), fabric.spec(of: name) == nil,
            let address = freeAddress(near: neighbour.address)
        else { return nil }
        let spec = NodeSpec(
            name: name, role: .device, network: neighbour.network, address: address,
            host: "\(name).attacker.internal")
        fabric.attach(spec, isLocal: !isProcess)
        if isProcess { fabric.heeded.insert(name) }
        owners[name] = actor
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

    /// Sees what a device in hand prints.
    mutating func watch(_ node: String) { watched[node, default: []].insert(actor) }
    mutating func unwatch() {
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
    mutating func takeOrders() -> [ProcessOrder] {
        defer { orders = [] }
        return orders
    }
}

extension AttackName {
    func make(_ step: Step) -> any Attack {
        switch self {
        case .tlsInterception: TLSInterception(step)
        case .recordTamper: RecordTamper(step)
        case .rogueDevice: RogueDevice(step)
        case .clonedDevice: ClonedDevice(step)
        case .dnsSpoof: DNSSpoof(step)
        case .recordReplay: RecordReplay(step)
        case .timeSpoof: TimeSpoof(step)
        case .downgrade: Downgrade(step)
        case .staleMeasurement: StaleMeasurement(step)
        case .modifiedImage: ModifiedImage(step)
        case .bootGlitch: BootGlitch(step)
        case .debugPort: DebugPort(step)
        case .updateRollback: UpdateRollback(step)
        case .updateFreeze: UpdateFreeze(step)
        case .updateMixAndMatch: UpdateMixAndMatch(step)
        case .endlessData: EndlessData(step)
        case .stolenSigningKey: StolenSigningKey(step)
        case .stolenDeviceKey: StolenDeviceKey(step)
        case .stolenCatalogCA: StolenCatalogCA(step)
        case .credentialFlood: CredentialFlood(step)
        case .botnet: Botnet(step)
        case .remoteExploit: RemoteExploit(step)
        case .escalation: Escalation(step)
        }
    }
}
