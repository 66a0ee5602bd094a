import Wire
import Yams

extension Plan {
    /// Reads a topology or a campaign. `load` gives the text of a file, or nil if there is none; a campaign
    /// names its topology relative to itself.
    public static func read(
        file: String, load: (String) -> String?
    ) throws(PlanProblems) -> Plan {
        guard let text = load(file) else {
            throw PlanProblems(problems: [Problem(file: file, line: 1, column: 1, message: "cannot read the file")])
        }
        let document = Document(file: file, text: text)
        var reader = PlanReader(document: document)
        var problems: [Problem] = []
        if let root = document.root {
            if root.mapping?["topology"] != nil {
                problems = reader.readCampaign(root, load: load)
            } else if let section = document.section(root, "the topology", keys: PlanReader.topologyKeys) {
                reader.readTopology(section)
                reader.readExpectations(section)
                reader.readMethod(section)
            }
        }
        problems += document.problems
        guard problems.isEmpty else { throw PlanProblems(problems: problems) }
        return reader.plan
    }
}

public struct PlanProblems: Error, Equatable, Sendable {
    public var problems: [Problem]
    public init(problems: [Problem]) { self.problems = problems }
}

extension PlanReader {
    static let campaignKeys = ["name", "topology", "seed", "stop", "controls-off", "method", "expect"]
    static let stepKeys = ["at", "for", "fault", "attack", "target", "expect"]
    static let modes = ["one", "all", "fixed", "fixed-percent", "random-max-percent"]

    mutating func readCampaign(_ root: YAMLNode, load: (String) -> String?) -> [Problem] {
        guard let section = document.section(root, "the campaign", keys: PlanReader.campaignKeys),
            let field = section.required("topology"), let relative = field.scalar?.string
        else { return [] }
        let folder = document.file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let path = relative.hasPrefix("/") || folder.isEmpty ? relative : "\(folder)/\(relative)"
        guard let text = load(path) else {
            document.report(field, "topology: cannot read '\(path)'")
            return []
        }
        let topology = Document(file: path, text: text)
        var base = PlanReader(document: topology)
        if let root = topology.root, let section = topology.section(root, "the topology", keys: PlanReader.topologyKeys) {
            base.readTopology(section)
        }
        plan = base.plan
        plan.file = document.file
        readHead(section)
        readExpectations(section)
        readMethod(section)
        return topology.problems
    }

    // MARK: Method

    mutating func readMethod(_ section: Section) {
        guard let field = section.fields["method"] else { return }
        guard let steps = field.sequence else {
            document.report(field, "method: expected a list of steps")
            return
        }
        for (index, item) in steps.enumerated() { readStep(item, id: "s\(index + 1)") }
    }

    private mutating func readStep(_ item: YAMLNode, id: String) {
        let name = (item.mapping?["fault"] ?? item.mapping?["attack"])?.scalar?.string ?? ""
        let parameters = FaultName(rawValue: name)?.parameters ?? []
        guard let step = document.section(item, "step \(id)", keys: PlanReader.stepKeys + parameters.map(\.name)) else { return }
        let act: Step.Act
        if let field = step.fields["fault"] {
            guard let fault = FaultName(rawValue: name) else {
                document.report(field, "unknown fault '\(name)'\(document.suggestion(name, among: FaultName.allCases.map(\.rawValue)))")
                return
            }
            act = .fault(fault)
        } else if let field = step.fields["attack"] {
            guard let attack = AttackName(rawValue: name) else {
                document.report(field, "unknown attack '\(name)'\(document.suggestion(name, among: AttackName.allCases.map(\.rawValue)))")
                return
            }
            act = .attack(attack)
        } else {
            document.report(item, "step \(id): expected a 'fault' or an 'attack'")
            return
        }
        let at = step.duration("at", isRequired: true) ?? .zero
        if .start + at >= plan.stop { document.report(step.fields["at"], "at: after the end of the run (\(readable(plan.stop - .start)))") }
        let fault = FaultName(rawValue: name)
        let length = step.duration("for", isRequired: fault?.needsLength ?? false)
        var values: [String: Quantity] = [:]
        for (name, kind) in parameters { values[name] = step.quantity(name, kind) }
        if act == .fault(.deviceChurn) { _ = step.duration("every", atLeast: .seconds(1)) }
        let (nodes, networks) = readTarget(step, act, id: id)
        plan.steps.append(
            Step(
                id: id, at: .start + at, act: act, nodes: nodes, networks: networks,
                lengthNanoseconds: length?.nanoseconds, parameters: values))
        readStepExpectation(step, act, id: id)
    }

    private mutating func readStepExpectation(_ step: Section, _ act: Step.Act, id: String) {
        guard let expect = document.section(step.fields["expect"], "expect", keys: ["verdict"]) else { return }
        guard case .attack = act else {
            document.report(expect.node, "expect: a fault has no verdict")
            return
        }
        guard let word = expect.text("verdict", isRequired: true) else { return }
        guard let outcome = Verdict.Outcome(rawValue: word) else {
            let words = Verdict.Outcome.allCases.map(\.rawValue)
            document.report(expect.fields["verdict"], "unknown verdict '\(word)'\(document.suggestion(word, among: words))")
            return
        }
        plan.expectations.append(
            Expectation(claim: .verdict(step: id, outcome), text: "\(act.name) (\(id)) is \(word)"))
    }

    // MARK: Targets

    private func readTarget(_ step: Section, _ act: Step.Act, id: String) -> (nodes: [String], networks: [String]) {
        if case .fault(let fault) = act, fault.hitsService { return (["service"], []) }
        guard let target = document.section(step.required("target"), "target", keys: ["devices", "network", "mode", "value"])
        else { return ([], []) }
        if target.has("network") {
            let names = plan.networks.map(\.name)
            let networks = target.words("network").filter { word, node in
                if names.contains(word) { return true }
                document.report(node, "unknown network '\(word)'\(document.suggestion(word, among: names))")
                return false
            }.map(\.text)
            if case .fault(let fault) = act, fault.isOfLinks { return ([], networks) }
            return (plan.devices.filter { networks.contains($0.network) }.map(\.name), [])
        }
        return (pick(devices(target, "devices"), target, id: id), [])
    }

    /// Devices by `all`, by kind, by group or by name.
    private func devices(_ section: Section, _ key: String) -> [String] {
        if !section.has(key) { _ = section.required(key) }
        return section.words(key).flatMap { word, node in select(word, node) }
    }

    func select(_ word: String, _ node: YAMLNode) -> [String] {
        let found = plan.devices.filter {
            word == "all" || $0.kind == word || $0.name == word || $0.product == word || $0.group == word
        }.map(\.name)
        if found.isEmpty {
            let words = Set(plan.devices.flatMap { [$0.kind, $0.name, $0.group] }).sorted() + ["all"]
            document.report(node, "unknown device '\(word)'\(document.suggestion(word, among: words))")
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
        case "fixed": size = target.count("value", in: 1...10_000) ?? 1
        case "fixed-percent": size = Int((Double(names.count) * (target.ratio("value") ?? 1)).rounded(.up))
        case "random-max-percent":
            size = Int(Double(names.count) * (target.ratio("value") ?? 1) * draws.unit()) + 1
        default: return names
        }
        let chosen = Set(names.shuffled(using: &draws).prefix(size))
        return names.filter(chosen.contains)
    }

    // MARK: Expectations

    mutating func readExpectations(_ section: Section) {
        for item in section.fields["expect"]?.sequence ?? [] {
            let keys = ["devices", "pairs", "reach", "within", "availability"]
            guard let expect = document.section(item, "expect", keys: keys) else { continue }
            let within = expect.duration("within")?.nanoseconds
            let suffix = expect.duration("within").map { " within \(readable($0))" } ?? ""
            if expect.has("pairs") {
                let ends = expect.words("pairs")
                guard ends.count == 2 else {
                    document.report(item, "pairs: expected two kinds of device, such as [fridge, oven]")
                    continue
                }
                reach(expect, "mutually-authenticated")
                plan.expectations.append(
                    Expectation(
                        claim: .mutuallyAuthenticated(
                            from: select(ends[0].text, ends[0].node), to: select(ends[1].text, ends[1].node)),
                        withinNanoseconds: within,
                        text: "\(ends[0].text) and \(ends[1].text) authenticate mutually\(suffix)"))
                continue
            }
            let names = devices(expect, "devices")
            let who = expect.words("devices").map(\.text).joined(separator: ", ")
            if let ratio = expect.ratio("availability") {
                plan.expectations.append(
                    Expectation(
                        claim: .availability(devices: names, ratio: ratio),
                        text: "\(who): at least \((ratio * 1000).rounded() / 10) % of exchanges succeed"))
            } else {
                reach(expect, "attested")
                plan.expectations.append(
                    Expectation(claim: .attested(devices: names), withinNanoseconds: within, text: "\(who) attested\(suffix)"))
            }
        }
    }

    private func reach(_ expect: Section, _ word: String) {
        guard let found = expect.text("reach", isRequired: true), found != word else { return }
        document.report(expect.fields["reach"], "unknown state '\(found)'\(document.suggestion(found, among: [word]))")
    }
}
