import Catalogue
import Wire
import Yams

extension PlanReader {
    // MARK: Of a step

    mutating func readStepExpectation(_ step: Section, _ made: Step, id: String) {
        let act = made.act
        guard let node = step.fields["expect"] else {
            // Who says nothing expects that his fleet holds.
            if case .attack(let attack) = act { expect(.defended, of: attack, id: id) }
            return
        }
        switch act {
        case .attack(let attack): readVerdict(node, attack, id: id)
        case .update(let order): readInstallation(node, order, id: id)
        case .operate where made.rollout != nil: if let order = made.rollout { readInstallation(node, order, id: id) }
        case .fault, .operate: document.report(node, "expect: nothing is judged of \(act.name) alone")
        }
    }

    private mutating func readVerdict(_ node: YAMLNode, _ attack: AttackName, id: String) {
        guard let expect = document.section(node, "expect", keys: ["verdict", "detected-within"]) else { return }
        if !expect.has("verdict") {
            self.expect(.defended, of: attack, id: id)
        } else if let word = expect.text("verdict"), word != PlanReader.anyVerdict {
            let words = AttackOutcome.allCases.map(\.rawValue) + [PlanReader.anyVerdict]
            guard let outcome = AttackOutcome(rawValue: word) else {
                document.report(expect.fields["verdict"], "unknown verdict '\(word)'\(document.suggestion(word, among: words))")
                return
            }
            if outcome == .frozen && catalogue.attacks[attack]?.holds != .updates {
                document.report(expect.fields["verdict"], "verdict: \(attack.rawValue) keeps nobody from updates")
            }
            self.expect(outcome, of: attack, id: id)
        }
        if let within = expect.duration("detected-within") {
            if plan.controlsOff.contains(.threatDetection) {
                document.report(expect.fields["detected-within"], "detected-within: threat-detection is off, so nothing can show it")
            }
            plan.expectations.append(
                Expectation(
                    claim: .detected(step: id), withinNanoseconds: within.nanoseconds,
                    text: "\(attack.rawValue) (\(id)) is detected within \(readable(within))"))
        }
    }

    private static let anyVerdict = "any"

    private mutating func expect(_ outcome: AttackOutcome, of attack: AttackName, id: String) {
        plan.expectations.append(
            Expectation(claim: .verdict(step: id, outcome), text: "\(attack.rawValue) (\(id)) is \(outcome.rawValue)"))
    }

    private mutating func readInstallation(_ node: YAMLNode, _ order: UpdateOrder, id: String) {
        guard let expect = document.section(node, "expect", keys: ["installed", "within", "bricked", "rollout"]) else { return }
        let members = plan.members(of: order)
        let within = expect.duration("within")
        let suffix = within.map { " within \(readable($0))" } ?? ""
        if let ratio = expect.ratio("installed") {
            plan.expectations.append(
                Expectation(
                    claim: .installed(step: id, devices: members, ratio: ratio), withinNanoseconds: within?.nanoseconds,
                    text: "\(order.title) (\(id)) on \(percent(ratio)) of \(members.count) devices\(suffix)"))
        }
        if let limit = expect.count("bricked", in: 0...10_000) {
            plan.expectations.append(
                Expectation(
                    claim: .bricked(devices: candidates(of: order).map(\.name), limit: limit),
                    text: "\(order.title) (\(id)): at most \(limit) bricked"))
        }
        let ends = RolloutState.allCases.filter { !$0.isOpen }.map(\.rawValue)
        if let word = expect.word("rollout", among: ends), let state = RolloutState(rawValue: word) {
            plan.expectations.append(Expectation(claim: .rollout(step: id, state), text: "rollout of \(order.title) (\(id)) is \(word)"))
        }
    }

    // MARK: Of the run

    mutating func readExpectations(_ section: Section) {
        for item in section.fields["expect"]?.sequence ?? [] {
            if let expectation = readExpectation(item) { plan.expectations.append(expectation) }
        }
    }

    /// What must hold before anything is done to the fleet, and again when all is over.
    mutating func readSteadyState(_ section: Section) {
        guard let items = section.fields["steady-state"]?.sequence else { return }
        let begin = plan.steps.map(\.earliest).min() ?? plan.stop
        let end = plan.steps.map { $0.earliest + .nanoseconds(($0.window?.nanoseconds ?? 0)) + ($0.duration ?? .zero) }.max() ?? .start
        // Whatever was broken has this long to heal: longer than any back-off.
        let healed = end + .minutes(30)
        if healed >= plan.stop {
            document.report(
                section.fields["steady-state"], "steady-state: the run ends before it can be seen again (\(readable(healed - .start)))")
        }
        for item in items {
            guard let expectation = readExpectation(item) else { continue }
            for (words, window) in [("before", Expectation.Window(from: .start, to: begin)), ("after", .init(from: healed, to: plan.stop))]
            {
                var one = expectation
                one.window = window
                one.text = "steady state \(words): \(expectation.text)"
                plan.expectations.append(one)
            }
        }
    }

    private func readExpectation(_ item: YAMLNode) -> Expectation? {
        let keys = ["devices", "pairs", "reach", "within", "availability", "bricked", "false-alarms"]
        guard let expect = document.section(item, "expect", keys: keys) else { return nil }
        let within = expect.duration("within")?.nanoseconds
        let suffix = expect.duration("within").map { " within \(readable($0))" } ?? ""
        if let limit = expect.count("false-alarms", in: 0...1_000_000) {
            if plan.controlsOff.contains(.threatDetection) {
                document.report(item, "false-alarms: threat-detection is off, so nothing can show any")
            }
            return Expectation(claim: .falseAlarms(limit: limit), text: "at most \(limit) false alarms")
        }
        if expect.has("pairs") {
            let ends = expect.words("pairs")
            guard ends.count == 2 else {
                document.report(item, "pairs: expected two kinds of device, such as [fridge, oven]")
                return nil
            }
            reach(expect, "mutually-authenticated")
            return Expectation(
                claim: .mutuallyAuthenticated(from: select(ends[0].text, ends[0].node), to: select(ends[1].text, ends[1].node)),
                withinNanoseconds: within, text: "\(ends[0].text) and \(ends[1].text) authenticate mutually\(suffix)")
        }
        let names = devices(expect, "devices")
        let who = expect.words("devices").map(\.text).joined(separator: ", ")
        if let ratio = expect.ratio("availability") {
            return Expectation(
                claim: .availability(devices: names, ratio: ratio),
                text: "\(who): at least \((ratio * 1000).rounded() / 10) % of exchanges succeed")
        }
        if let limit = expect.count("bricked", in: 0...10_000) {
            return Expectation(claim: .bricked(devices: names, limit: limit), text: "\(who): at most \(limit) bricked")
        }
        reach(expect, "attested")
        return Expectation(claim: .attested(devices: names), withinNanoseconds: within, text: "\(who) attested\(suffix)")
    }

    private func reach(_ expect: Section, _ word: String) {
        guard let found = expect.text("reach", isRequired: true), found != word else { return }
        document.report(expect.fields["reach"], "unknown state '\(found)'\(document.suggestion(found, among: [word]))")
    }
}
