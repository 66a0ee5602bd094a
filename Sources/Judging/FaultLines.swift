import Catalogue
import Planning
import Wire

/// What went wrong by itself in a run: a line for each fault, and one for all the times that a step was repeated.
struct FaultLines {
    private let plan: Plan
    /// Devices on which a power cut waited for an operation of the flash in vain, by its step.
    private let missed: [String: [String]]

    init(_ plan: Plan, _ journal: ObservationLog) {
        self.plan = plan
        missed = journal.reduce(into: [:]) { missed, observation in
            let fact = observation.fact
            guard fact.kind == .faultEnded, fact.text(.result) == "missed", let step = fact.text(.instance) else { return }
            missed[step, default: []].append(fact.text(.target) ?? "")
        }
    }

    var lines: [String] {
        var groups: [[Step]] = []
        for step in plan.steps {
            guard case .fault = step.act else { continue }
            // Targets are drawn for each time: where they differ, each has a line of its own.
            if let last = groups.last?.last, Self.isRepeated(step), Self.origin(step) == Self.origin(last), step.aim == last.aim {
                groups[groups.count - 1].append(step)
            } else {
                groups.append([step])
            }
        }
        return groups.map(line)
    }

    private func line(_ steps: [Step]) -> String {
        let (first, last) = (steps[0], steps[steps.count - 1])
        let length = first.duration.map { " for \(readable($0))" } ?? ""
        let times = steps.count == 1 ? "" : ", \(steps.count) times until \(readable(last.at - .start))"
        let inVain = steps.flatMap { missed[$0.id] ?? [] }
        let names = Set(inVain).sorted().joined(separator: ", ")
        return "\(first.act.name) at \(readable(first.at - .start))\(length)\(times): \(first.aim)"
            + (inVain.isEmpty ? "" : "; on \(names) no flash operation came that it could fall into")
            + (inVain.count > 1 && steps.count > 1 ? " (\(inVain.count) times)" : "")
    }

    /// `s3` of `s3-17`.
    private static func origin(_ step: Step) -> Substring { step.id.prefix { $0 != "-" } }
    private static func isRepeated(_ step: Step) -> Bool { step.id.contains("-") }
}
