public import Catalogue
import Wire

/// What a kind of device lacks that a file asks for is said when the file is read.
extension PlanReader {
    func checkFeatures(of kind: DeviceKind, _ entry: Section) {
        if let missing = kind.missing([.pins]), entry.has("attach") {
            document.report(entry.fields["attach"], "attach: a device of kind \(kind.rawValue) has no \(missing)")
        }
        for (app, node) in entry.words("apps") where app == "compressor" {
            guard let missing = kind.missing([.realTimeCores]) else { continue }
            document.report(node, "apps: \(app) runs on a real-time core, and a device of kind \(kind.rawValue) has no \(missing)")
        }
    }

    /// A release that no device can take.
    func checkFeatures(of order: UpdateOrder, group: String, _ update: Section) {
        guard order.image == UpdateOrder.keystore,
            !candidates(of: order).contains(where: { $0.kind.missing([.trustedKeystore]) == nil })
        else { return }
        document.report(
            update.fields["image"], "keystore: no device of the group '\(group)' has a \(DeviceFeature.trustedKeystore.rawValue)")
    }

    /// An attack on what its targets do not have, or an operator's act that they know nothing of.
    func checkFeatures(of step: Step, _ section: Section) {
        let (needs, word): (Set<DeviceFeature>, String)
        switch step.act {
        case .attack(let name): (needs, word) = (catalogue.attacks[name]?.requires ?? [], "attack")
        case .operate(.recover): (needs, word) = ([.recoveryCable], "operator")
        default: return
        }
        for device in plan.devices where step.nodes.contains(device.name) {
            guard let missing = device.kind.missing(needs) else { continue }
            document.report(
                section.fields[word],
                "\(step.act.name): \(device.name) is of kind \(device.kind.rawValue), which has no \(missing)")
            return
        }
    }
}

extension DeviceKind {
    /// The first of some features that it lacks, in words; nil if it has them all.
    public func missing(_ needs: Set<DeviceFeature>) -> String? {
        needs.subtracting(description.features).map(\.rawValue).min()
    }
}
