import Catalogue
import Wire
import Yams

/// What an operator decides about devices: `lock-out`, `readmit`, and `move` with `to: spares`.
extension PlanReader {
    /// Groups that some step moves devices to, wherever it stands in a file.
    static func destinations(_ root: YAMLNode?) -> Set<String> {
        func find(_ node: YAMLNode) -> [String] {
            if let items = node.sequence { return items.flatMap(find) }
            guard let mapping = node.mapping else { return [] }
            if mapping["operator"]?.scalar?.string == OperatorAct.move.rawValue {
                return [mapping["to"]?.scalar?.string].compactMap(\.self)
            }
            return ["serial", "parallel"].compactMap { mapping[$0] }.flatMap(find)
        }
        return Set(root?.mapping?["method"].map(find) ?? [])
    }

    /// Devices that may be in a group that a release is for, whenever they come there.
    func candidates(of order: UpdateOrder) -> [Plan.Device] {
        let isForAll = destinations.contains { plan.isFor($0, order) }
        return plan.devices.filter { device in
            (isForAll || plan.isFor(device.group, order)) && (!order.isApp || device.apps.contains(order.image))
        }
    }

    /// What such a step says beside its targets. Whether it can be done then is looked at when all are read.
    mutating func readInventoryAct(_ section: Section, _ step: inout Step) {
        guard case .operate(let act) = step.act, act.isOfInventory else { return }
        if act == .move {
            guard let group = section.text("to", isRequired: true) else { return }
            let known = plan.allGroups.keys.sorted()
            guard known.contains(group) else {
                document.report(section.fields["to"], "to: unknown group '\(group)'\(document.suggestion(group, among: known))")
                return
            }
            step.parameters["to"] = .word(group)
        } else if let off = [Control.certificateAuth, .transportEncryption].first(where: plan.controlsOff.contains) {
            document.report(
                section.fields["operator"], "\(act.rawValue): \(off.rawValue) is off, so that the service cannot tell which device asks")
        }
        inventoryActs.append((step, section))
    }

    /// Goes through them in the order of time.
    func checkInventoryActs() {
        var groups = Dictionary(uniqueKeysWithValues: plan.devices.map { ($0.name, $0.group) })
        var lockedOut: Set<String> = []
        var last: [String: Step] = [:]
        let inOrder = inventoryActs.enumerated().sorted { ($0.element.step.earliest, $0.offset) < ($1.element.step.earliest, $1.offset) }
        for (step, section) in inOrder.map(\.element) where !step.nodes.isEmpty {
            let (node, name) = (section.fields["operator"], step.act.name)
            for device in step.nodes {
                let subject = "\(device) \(step.act == .operate(.move) ? "move" : "lock")"
                if let before = last.updateValue(step, forKey: subject), before.latestBegin >= step.earliest {
                    document.report(node, "\(name): \(before.act.name) (\(before.id)) of \(device) may come at the same time")
                }
            }
            switch step.act {
            case .operate(.lockOut):
                if let device = step.nodes.first(where: lockedOut.contains) {
                    document.report(node, "lock-out: \(device) is locked out already")
                }
                lockedOut.formUnion(step.nodes)
                if lockedOut.count == plan.devices.count { document.report(node, "lock-out: no device would be left") }
            case .operate(.readmit):
                if let device = step.nodes.first(where: { !lockedOut.contains($0) }) {
                    document.report(node, "readmit: \(device) is not locked out then")
                }
                lockedOut.subtract(step.nodes)
            default:
                guard let group = step.group else { continue }
                if let device = step.nodes.first(where: { groups[$0] == group }) {
                    document.report(section.fields["to"], "move: \(device) is in the group '\(group)' already")
                }
                for device in step.nodes { groups[device] = group }
            }
        }
    }
}

extension Step {
    /// The latest instant at which it begins, whatever the seed.
    fileprivate var latestBegin: Instant { window.map { $0.from + .nanoseconds($0.nanoseconds) } ?? at }
}
