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
    /// The attack at work: owner of nodes, taps and facts made meanwhile.
    var actor = ""
    private(set) var owners: [String: String] = [:]
    /// Devices of the fleet that an attacker has in hand, and whose.
    private(set) var watched: [String: String] = [:]
    private(set) var orders: [ProcessOrder] = []
    private var nextAddress: UInt32 = 200

    init(fabric: Fabric, names: CatalogNames, epochSeconds: Int64, loot: Loot) {
        self.fabric = fabric
        self.names = names
        self.epochSeconds = epochSeconds
        self.loot = loot
    }

    /// Puts a node of the attacker's into the network of a victim.
    mutating func attach(_ name: String, near victim: String, isProcess: Bool = false) -> NodeSpec? {
        guard let neighbour = fabric.spec(of: victim) else { return nil }
        let address = Address(bits: neighbour.address.bits & 0xFFFF_0000 | 0xFF00 | nextAddress)
        nextAddress += 1
        let spec = NodeSpec(
            name: name, role: .device, network: neighbour.network, address: address,
            host: "\(name).attacker.internal")
        fabric.attach(spec, isLocal: !isProcess)
        owners[name] = actor
        return spec
    }

    mutating func detach(_ name: String) {
        fabric.detach(name)
        owners[name] = nil
    }

    /// Sees what a device in hand prints.
    mutating func watch(_ node: String) { watched[node] = actor }
    mutating func unwatch() { watched = watched.filter { $0.value != actor } }

    mutating func tap(_ tap: any Tap) { fabric.taps.append((actor, tap)) }
    mutating func untap() { fabric.taps.removeAll { $0.id == actor } }

    mutating func order(_ order: ProcessOrder) { orders.append(order) }
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

    /// It takes power from devices or starts new ones, so that nobody may be ahead of it.
    var changesProcesses: Bool {
        switch self {
        case .clonedDevice, .stolenDeviceKey, .modifiedImage, .bootGlitch: true
        default: false
        }
    }
}
