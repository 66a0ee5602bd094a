import Catalogue
import Fabric
import Wire
import Yams

extension PlanReader {
    static let modes = ["one", "all", "fixed", "fixed-percent", "random-max-percent"]

    /// Whom a step aims at, as names in the order of the plan.
    mutating func readTarget(_ step: Section, _ act: Step.Act, id: String) -> (nodes: [String], networks: [String]) {
        let fault: FaultDescription? = if case .fault(let name) = act { catalogue.faults[name] } else { nil }
        if fault?.place == .service {
            if step.has("target") { document.report(step.fields["target"], "target: \(act.name) is of the service") }
            return ([ServiceNode.maker], [])
        }
        if case .update = act { return ([], []) }
        if case .operate(let act) = act, !act.hasTargets {
            if step.has("target") { document.report(step.fields["target"], "target: \(act.rawValue) is the service's") }
            return ([ServiceNode.maker], [])
        }
        let keys = ["devices", "network", "group", "label", "mode", "value"]
        guard let target = document.section(step.required("target"), "target", keys: keys) else { return ([], []) }
        let ways = ["devices", "network", "group", "label"].filter(target.has)
        guard ways.count == 1, let way = ways.first else {
            document.report(target.node, "target: expected one of devices, network, group or label")
            return ([], [])
        }
        return resolve(target, way, isOfLinks: fault?.place == .links, id: id)
    }

    /// Towards whom: `service`, or whom a target could name.
    func readOtherSide(_ step: Section) -> (nodes: [String], networks: [String]) {
        let key = FaultDescription.otherSide
        if let word = step.fields[key]?.scalar?.string {
            if word != "service" {
                document.report(step.fields[key], "\(key): expected service, or a mapping with devices, network, group or label")
            }
            return ([ServiceNode.maker], [])
        }
        let keys = ["devices", "network", "group", "label"]
        guard let side = document.section(step.fields[key], key, keys: keys) else { return ([], []) }
        let ways = keys.filter(side.has)
        guard ways.count == 1, let way = ways.first else {
            document.report(side.node, "\(key): expected one of devices, network, group or label")
            return ([], [])
        }
        return resolve(side, way, isOfLinks: true, id: "")
    }

    private func resolve(_ target: Section, _ way: String, isOfLinks: Bool, id: String) -> (nodes: [String], networks: [String]) {
        if way == "network" {
            let names = plan.networks.map(\.name)
            let networks = target.words("network").filter { word, node in
                if names.contains(word) { return true }
                document.report(node, "unknown network '\(word)'\(document.suggestion(word, among: names))")
                return false
            }.map(\.text)
            if isOfLinks { return ([], networks) }
            let inside = plan.devices.filter { networks.contains($0.network) }.map(\.name)
            if inside.isEmpty && !networks.isEmpty { document.report(target.fields["network"], "network: no device is there to aim at") }
            return (pick(inside, target, id: id), [])
        }
        let found =
            switch way {
            case "group": target.words("group").flatMap { word, node in select(word, node, "group") { [$0.group] } }
            case "label": target.words("label").flatMap { word, node in select(word, node, "label") { $0.labels } }
            default: devices(target, "devices")
            }
        return (pick(unique(found), target, id: id), [])
    }

    private func unique(_ names: [String]) -> [String] { plan.devices.map(\.name).filter(Set(names).contains) }

    /// Devices by `all`, by the entry that they come from, by kind, by product, by group or by name.
    func devices(_ section: Section, _ key: String) -> [String] {
        if !section.has(key) { _ = section.required(key) }
        if section.fields[key]?.sequence?.isEmpty == true { document.report(section.fields[key], "\(key): expected at least one") }
        return section.words(key).flatMap { word, node in select(word, node) }
    }

    func select(_ word: String, _ node: YAMLNode) -> [String] {
        select(word, node, "device") { ["all", $0.entry, $0.name, $0.product, $0.group, $0.kind.rawValue] }
    }

    private func select(_ word: String, _ node: YAMLNode, _ what: String, by words: (Plan.Device) -> [String]) -> [String] {
        let found = plan.devices.filter { words($0).contains(word) }.map(\.name)
        if found.isEmpty, let kind, let other = DeviceKind(rawValue: word), kind != other {
            document.report(node, "\(what): all devices are of kind \(kind.rawValue) here, and none is of kind \(other.rawValue)")
        } else if found.isEmpty {
            let known = Set(plan.devices.flatMap(words)).sorted()
            document.report(node, "unknown \(what) '\(word)'\(document.suggestion(word, among: known))")
        }
        return found
    }

    private func pick(_ names: [String], _ target: Section, id: String) -> [String] {
        let mode = target.text("mode") ?? "all"
        guard PlanReader.modes.contains(mode) else {
            document.report(target.fields["mode"], "unknown mode '\(mode)'\(document.suggestion(mode, among: PlanReader.modes))")
            return names
        }
        var draws = SeedStream(seed: plan.seed, node: "plan", purpose: "target \(id)")
        let size: Int
        switch mode {
        case "one": size = 1
        case "fixed":
            size = target.count("value", in: 1...10_000) ?? 1
            if size > names.count {
                document.report(target.fields["value"], "value: \(size) devices are wanted and there are \(names.count)")
            }
        case "fixed-percent": size = Int((Double(names.count) * (target.ratio("value") ?? 1)).rounded(.up))
        case "random-max-percent":
            size = Int(Double(names.count) * (target.ratio("value") ?? 1) * draws.unit()) + 1
        default: return names
        }
        let chosen = Set(names.shuffled(using: &draws).prefix(size))
        return names.filter(chosen.contains)
    }
}
