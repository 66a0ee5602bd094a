import Catalogue
import Wire
import Yams

/// The method of a campaign: steps at their times, alone or in blocks that follow each other or run side by side.
extension PlanReader {
    static let stepKeys = [
        "at", "for", "fault", "attack", "update", "operator", "target", "expect", "as", "uses", "every", "times", "window",
    ]
    static let blockKeys = ["at", "serial", "parallel", "pause"]

    mutating func readMethod(_ section: Section) {
        guard let field = section.fields["method"] else { return }
        guard let steps = field.sequence else {
            document.report(field, "method: expected a list of steps")
            return
        }
        for item in steps { _ = readItem(item, start: nil) }
        settleSuccession()
        checkExclusive()
        checkInventoryActs()
    }

    /// A step or a block. `start` is given by the block that it stands in; the end is returned.
    private mutating func readItem(_ item: YAMLNode, start: Duration?) -> Duration {
        guard item.mapping?["serial"] != nil || item.mapping?["parallel"] != nil else { return readStep(item, start: start) }
        guard let block = document.section(item, "a block", keys: PlanReader.blockKeys) else { return start ?? .zero }
        let begin = time(block, start)
        let isSerial = block.has("serial")
        if isSerial && block.has("parallel") { document.report(item, "a block is either serial or parallel") }
        guard let items = block.fields[isSerial ? "serial" : "parallel"]?.sequence, !items.isEmpty else {
            document.report(item, "a block: expected a list of steps")
            return begin
        }
        let pause = block.duration("pause") ?? .zero
        var end = begin
        for (index, item) in items.enumerated() {
            end = isSerial ? readItem(item, start: index == 0 ? begin : end + pause) : max(end, readItem(item, start: begin))
        }
        return end
    }

    /// When a step begins: by its own word, or by the block that it stands in.
    private func time(_ section: Section, _ start: Duration?) -> Duration {
        guard let start else { return section.duration("at", isRequired: true) ?? .zero }
        if section.has("at") { document.report(section.fields["at"], "at: the block says when its steps begin") }
        return start
    }

    private mutating func readStep(_ item: YAMLNode, start: Duration?) -> Duration {
        stepsRead += 1
        let known = document.problems.count
        let id = "s\(stepsRead)"
        let name = (item.mapping?["fault"] ?? item.mapping?["attack"])?.scalar?.string ?? ""
        let parameters = parameters(of: name, item.mapping?["operator"]?.scalar.flatMap { OperatorAct(rawValue: $0.string) })
        let sides = catalogue.faults[name]?.place == .links ? [FaultDescription.otherSide] : []
        let own = PlanReader.ownKeys(of: item.mapping?["operator"]?.scalar.flatMap { OperatorAct(rawValue: $0.string) })
        guard let step = document.section(item, "step \(id)", keys: PlanReader.stepKeys + own + parameters.map(\.name) + sides) else {
            return start ?? .zero
        }
        guard let act = readAct(step, id: id) else { return start ?? .zero }
        let at = time(step, start)
        let length = step.duration("for", isRequired: catalogue.faults[name]?.needsLength ?? false)
        checkLength(step, act, length)
        let repetition = readRepetition(step, act, parameters, length: length)
        let end = at + repetition.length
        if .start + end >= plan.stop {
            let what = repetition.length == .zero ? "at:" : "at: the last may begin"
            document.report(step.fields["at"] ?? item, "\(what) after the end of the run (\(readable(plan.stop - .start)))")
        }
        let values = readParameters(step, parameters)
        for (id, after) in repetition.each(of: id) {
            guard plan.steps.count < Repetition.mostSteps else {
                document.report(item, "more than \(Repetition.mostSteps) steps")
                break
            }
            let (nodes, networks) = readTarget(step, act, id: id)
            var made = Step(
                id: id, at: .start + at + after, act: act, nodes: nodes, networks: networks, lengthNanoseconds: length?.nanoseconds,
                parameters: values)
            if step.has(FaultDescription.otherSide) { (made.otherNodes, made.otherNetworks) = readOtherSide(step) }
            if let window = repetition.window { made.window = Step.Window(from: made.at, nanoseconds: window.nanoseconds) }
            made.fall(plan.seed)
            (made.name, made.uses) = readChain(step, made)
            made.withdrawal = readWithdrawal(step, made)
            readRollout(step, &made)
            readInventoryAct(step, &made)
            checkFeatures(of: made, step)
            checkParameters(of: made, step)
            plan.steps.append(made)
            places[id] = item
            readStepExpectation(step, made, id: id)
            // What is wrong with one is wrong with all.
            if document.problems.count > known { break }
        }
        return end + (length ?? .zero)
    }

    private func parameters(of name: String, _ act: OperatorAct?) -> [Parameter] {
        guard let fault = catalogue.faults[name] else { return catalogue.attacks[name]?.parameters ?? act?.parameters ?? [] }
        return fault.parameters + (fault.place == .links ? [FaultDescription.direction] : [])
    }

    private func readParameters(_ step: Section, _ parameters: [Parameter]) -> [String: Quantity] {
        var values: [String: Quantity] = [:]
        for parameter in parameters {
            values[parameter.name] = read(parameter, step)
            if let least = parameter.least { _ = step.duration(parameter.name, atLeast: least) }
            if let least = parameter.leastCount, case .count(let count)? = values[parameter.name], count < least {
                document.report(step.fields[parameter.name], "\(parameter.name): at least \(least)")
            }
            if let most = parameter.mostCount, case .count(let count)? = values[parameter.name], count > most {
                document.report(step.fields[parameter.name], "\(parameter.name): at most \(most)")
            }
        }
        return values
    }

    /// What is over as soon as it is done has no length, and nothing lasts no time at all.
    private func checkLength(_ step: Section, _ act: Step.Act, _ length: Duration?) {
        guard let length else { return }
        if length == .zero { document.report(step.fields["for"], "for: longer than nothing") }
        if case .fault(let name) = act, catalogue.faults[name]?.isMoment == true {
            document.report(step.fields["for"], "for: \(name) is over as soon as it is done")
        }
        if case .operate(let act) = act {
            let why = act.isOfInventory ? "holds until another step changes it" : "is over as soon as it is done"
            document.report(step.fields["for"], "for: \(act.rawValue) \(why)")
        }
    }

    /// What parameters cannot be together.
    private func checkParameters(of step: Step, _ section: Section) {
        guard case .fault(let name) = step.act, let (parameter, why) = catalogue.faults[name]?.mistake?(step) else { return }
        document.report(section.fields[parameter], "\(parameter): \(why)")
    }

    /// `as: foothold`, and in a later attack `uses: foothold`.
    private func readChain(_ section: Section, _ step: Step) -> (name: String?, uses: String?) {
        for key in ["as", "uses"] where section.has(key) && !step.act.isAttack {
            document.report(section.fields[key], "\(key): only attacks obtain something")
        }
        let names = plan.steps.compactMap(\.name)
        let name = section.text("as")
        if let name, names.contains(name) { document.report(section.fields["as"], "as: another attack has the name '\(name)'") }
        guard let uses = section.text("uses") else { return (name, nil) }
        guard let source = plan.steps.last(where: { $0.name == uses }) else {
            document.report(
                section.fields["uses"], "uses: no attack before it is called '\(uses)'\(document.suggestion(uses, among: names))")
            return (name, nil)
        }
        if source.earliest + .nanoseconds(source.window?.nanoseconds ?? 0) >= step.earliest {
            document.report(section.fields["uses"], "uses: '\(uses)' begins no earlier")
        }
        return (name, uses)
    }

    private func read(_ parameter: Parameter, _ step: Section) -> Quantity? {
        guard parameter.isRequired || step.has(parameter.name) else { return nil }
        guard case .word(let words) = parameter.kind else { return step.quantity(parameter.name, parameter.kind) }
        guard let word = step.text(parameter.name, isRequired: true) else { return nil }
        if !words.contains(word) {
            document.report(step.fields[parameter.name], "unknown \(parameter.name) '\(word)'\(document.suggestion(word, among: words))")
        }
        return .word(word)
    }

    private mutating func readAct(_ step: Section, id: String) -> Step.Act? {
        let ways = ["fault", "attack", "update", "operator"].filter(step.has)
        guard ways.count == 1 else {
            document.report(step.node, "step \(id): expected one of 'fault', 'attack', 'update' or 'operator'")
            return nil
        }
        switch ways[0] {
        case "fault": return step.word("fault", among: catalogue.faults.names).map { .fault(FaultName($0)) }
        case "attack": return step.word("attack", among: catalogue.attacks.names).map { .attack(AttackName($0)) }
        case "update": return readUpdate(step).map(Step.Act.update)
        default: return step.word("operator", of: OperatorAct.self).map(Step.Act.operate)
        }
    }

    // MARK: What cannot go together

    /// Two that take the same thing from the same target at the same time: what happened would be nobody's.
    private func checkExclusive() {
        var holders: [Place: [Int]] = [:]
        for (index, step) in plan.steps.enumerated() {
            guard let hold = hold(of: step) else { continue }
            for node in step.nodes { holders[Place(node: node, hold: hold), default: []].append(index) }
        }
        var told: Set<[Int]> = []
        for (place, indices) in holders.sorted(by: { ($0.key.node, $0.key.hold.rawValue) < ($1.key.node, $1.key.hold.rawValue) }) {
            let inOrder = indices.sorted { (plan.steps[$0].earliest, $0) < (plan.steps[$1].earliest, $1) }
            guard var last = inOrder.first else { continue }
            for index in inOrder.dropFirst() {
                let (step, before) = (plan.steps[index], plan.steps[last])
                if step.earliest < before.latestEnd, told.insert([index, last].sorted()).inserted {
                    let (first, second) = index < last ? (step, before) : (before, step)
                    document.report(
                        places[second.id],
                        "\(first.act.name) (\(first.id)) and \(second.act.name) (\(second.id)) overlap: "
                            + "both hold \(place.hold.rawValue) of \(place.node)")
                }
                if step.latestEnd > before.latestEnd { last = index }
            }
        }
    }

    /// What one step at a time can have.
    private struct Place: Hashable {
        var node: String
        var hold: Hold
    }

    /// What a step needs for itself while it lasts.
    private func hold(of step: Step) -> Hold? {
        switch step.act {
        case .fault(let fault): catalogue.faults[fault]?.holds
        case .attack(let attack): catalogue.attacks[attack]?.holds
        default: nil
        }
    }
}
