import Catalogue
import Wire

/// A step that happens more than once, or at a time that the seed says.
struct Repetition {
    var every: Duration
    /// Nil for a step that is not repeated.
    var times: Int?
    var window: Duration?

    static let once = Repetition(every: .zero, times: nil, window: nil)
    /// As many steps as a run's files and reports are made for: each day of ten years is 3,650.
    static let mostTimes = 4_000
    static let mostSteps = 10_000
    static let shortest = Duration.seconds(1)

    /// Where each begins: after the first, and under which name.
    func each(of id: String) -> [(id: String, after: Duration)] {
        guard let times else { return [(id, .zero)] }
        return (0..<times).map { ("\(id)-\($0 + 1)", every * $0) }
    }

    /// From the first's beginning until the last one's.
    var length: Duration { (times.map { every * ($0 - 1) } ?? .zero) + (window ?? .zero) }
}

extension PlanReader {
    /// `every: 10m, times: 6`, and `window: 5m`. A fault may have a parameter of such a name; then that is meant.
    func readRepetition(_ step: Section, _ act: Step.Act, _ parameters: [Parameter], length: Duration?) -> Repetition {
        var repetition = Repetition.once
        repetition.window = step.duration("window")
        if parameters.contains(where: { $0.name == "every" }) {
            if step.has("times") {
                document.report(step.fields["times"], "times: 'every' is \(act.name)'s own here, and it cannot be repeated")
            }
            return repetition
        }
        guard step.has("every") || step.has("times") else { return repetition }
        guard let node = step.fields["every"] else {
            document.report(step.fields["times"], "times: 'every' is missing, the time from one beginning to the next")
            return repetition
        }
        guard step.has("times") else {
            document.report(node, "every: 'times' is missing: a step that is repeated without end is refused")
            return repetition
        }
        if case .update = act { document.report(node, "every: a release is made once") }
        if step.has("as") { document.report(node, "every: what is called 'as' happens once") }
        let times = step.count("times", in: 1...Repetition.mostTimes)
        guard let every = step.duration("every", atLeast: Repetition.shortest), every >= Repetition.shortest, let times else {
            return repetition
        }
        let isMoment = if case .fault(let name) = act { catalogue.faults[name]?.isMoment ?? false } else { !act.isAttack }
        if !isMoment, length == nil { document.report(node, "every: 'for' is missing: the first would last until the end of the run") }
        if let length, length > every { document.report(node, "every: shorter than 'for', so that it would overlap itself") }
        if let window = repetition.window, window + (length ?? .zero) > every {
            document.report(node, "every: shorter than 'window' and 'for' together, so that it could overlap itself")
        }
        (repetition.every, repetition.times) = (every, times)
        return repetition
    }
}

extension Plan {
    /// The same plan with another seed: what falls at a time that is drawn falls at another time.
    public mutating func draw(seed: UInt64) {
        self.seed = seed
        for index in steps.indices { steps[index].fall(seed) }
    }
}

extension Step {
    /// Each step has draws of its own, so that one more moves no other. In whole milliseconds.
    mutating func fall(_ seed: UInt64) {
        guard let window else { return }
        var draws = SeedStream(seed: seed, node: "plan", purpose: "window \(id)")
        at = window.from + .milliseconds(Int64(draws.unit() * Double(window.nanoseconds / 1_000_000)))
    }
}
