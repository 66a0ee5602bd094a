public import Catalogue
import Fabric
public import Wire
import Yams

extension Plan {
    /// Another owner's service, to which the fleet is handed over in the course of the run.
    public struct Successor: Sendable, Equatable, Codable {
        public var catalog: String
        public var network: String
        public var address: Address
        public var names: CatalogNames { CatalogNames(catalog: catalog) }
    }

    /// All nodes that are somebody's security service.
    public var serviceNodes: [String] { [ServiceNode.maker] + (successor == nil ? [] : [ServiceNode.successor]) }
    /// When the fleet is handed over, and until when the former owner's service goes on.
    public var handOver: Step? { steps.first { $0.act == .operate(.handOver) } }
    /// Under which names a node is known, in the catalogs that it belongs to, one after the other.
    public func hosts(of node: String) -> [String] { [names.host(node)] + (successor.map { [$0.names.host(node)] } ?? []) }

    /// Steps as they begin, one after the other.
    public var inOrder: [Step] { steps.enumerated().sorted { ($0.1.at, $0.0) < ($1.1.at, $1.0) }.map(\.1) }
    /// The factory's trust store is 1, and each that devices get is one more.
    public func trustVersion(of step: Step) -> Int { (inOrder.filter { $0.rollout != nil }.firstIndex { $0.id == step.id } ?? 0) + 2 }

    /// Who owns the fleet when a step begins: nil for whoever has made it.
    public func successor(at time: Instant) -> Successor? { handOver.map { time >= $0.at } ?? false ? successor : nil }
}

/// What changes whom devices trust: a new root, another owner.
extension PlanReader {
    /// How long a new root is known before anything is issued under it, and how long a former owner's service goes on.
    private static let overlap: [OperatorAct: Duration] = [.rotateRoot: .hours(180 * 24), .handOver: .hours(60 * 24)]

    static func ownKeys(of act: OperatorAct?) -> [String] {
        switch act {
        case .withdraw?: ["image"]
        case .move?: ["to"]
        case .rotateRoot?: termKeys
        case .handOver?: termKeys + ["to", "network"]
        default: []
        }
    }

    mutating func readRollout(_ section: Section, _ step: inout Step) {
        guard case .operate(let act) = step.act, act.isRollout || act == .rotatePolicyAuthority else { return }
        if step.window != nil {
            document.report(section.fields["window"], "window: keyholders come together on a day that is known before")
        }
        guard act.isRollout else { return }
        if step.parameters["overlap"] == nil, let usual = PlanReader.overlap[act] {
            step.parameters["overlap"] = .nanoseconds(usual.nanoseconds)
        }
        var order = UpdateOrder(
            image: act == .handOver ? UpdateOrder.ownership : UpdateOrder.trustStore, version: "",
            terms: RolloutTerms(audience: .feed(.retail, leadSeconds: 0)))
        readTerms(section, &order)
        if plan.controlsOff.contains(.renewableSecurity) {
            document.report(
                section.fields["operator"], "\(act.rawValue): renewable-security is off, so that no device would ever trust anybody new")
        }
        if act == .handOver {
            readSuccessor(section)
            order.version = plan.successor?.catalog ?? ""
            // Then the former owner's service ends.
            step.length = step.duration("overlap")?.nanoseconds
        }
        step.rollout = order
    }

    /// `operator: hand-over, to: newco, network: cloud`.
    private mutating func readSuccessor(_ section: Section) {
        guard plan.successor == nil else {
            return document.report(section.fields["operator"], "hand-over: a fleet changes its owner once in a run")
        }
        let catalog = section.text("to", isRequired: true) ?? ""
        if section.has("to") { document.isName(section.fields["to"], catalog) }
        if !catalog.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }) {
            document.report(section.fields["to"], "to: lower-case letters, digits and '-', as a catalog is called")
        }
        if catalog == plan.catalog { document.report(section.fields["to"], "to: the fleet is of the catalog '\(catalog)' already") }
        let networks = plan.networks.map(\.name)
        let network = section.text("network") ?? plan.serviceNetwork
        if !networks.contains(network) {
            document.report(section.fields["network"], "unknown network '\(network)'\(document.suggestion(network, among: networks))")
        }
        // Nobody else in a network has its first address.
        let index = UInt32((networks.firstIndex(of: network) ?? 0) + 1)
        plan.successor = Plan.Successor(catalog: catalog, network: network, address: Address(bits: 10 << 24 | index << 16 | 1))
    }

    /// What can only be told when all steps are known: which trust store is which, and what a new owner cannot do.
    mutating func settleSuccession() {
        for index in plan.steps.indices where plan.steps[index].rollout?.image == UpdateOrder.trustStore {
            let version = plan.trustVersion(of: plan.steps[index])
            plan.steps[index].rollout?.version = String(version)
        }
        checkRepeatedReleases()
        guard let handOver = plan.handOver else { return }
        for step in plan.steps where step.at >= handOver.at && step.id != handOver.id {
            let place = places[step.id]
            if step.release?.image == UpdateOrder.keystore {
                document.report(place, "keystore (\(step.id)): the boot key, which signs keystores, is not handed over")
            }
            if let release = plan.steps.first(where: { $0.id == step.withdrawal?.release }), release.at < handOver.at {
                document.report(place, "withdraw (\(step.id)): \(release.act.name) (\(release.id)) is the former owner's")
            }
        }
    }

    /// The same release twice is one: devices that have it look for nothing, unless it was taken back meanwhile.
    private func checkRepeatedReleases() {
        var released: [String: Step] = [:]
        for step in plan.inOrder {
            if let withdrawal = step.withdrawal { released = released.filter { $0.value.id != withdrawal.release } }
            guard case .update(let order) = step.act else { continue }
            let key = "\(order.title) for \(order.terms.audience.title)"
            if let before = released[key] {
                document.report(places[step.id], "\(order.title) (\(step.id)) is released by \(before.id) already")
            }
            released[key] = step
        }
    }
}
