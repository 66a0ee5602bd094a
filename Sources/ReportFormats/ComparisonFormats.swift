import Catalogue
public import Judging
import Planning
import Wire

/// A form that comparisons of kinds of device can have.
public protocol ComparisonFormat: SendableMetatype {
    /// As `orrery compare --format` has it.
    static var name: String { get }
    /// What it is, for the help.
    static var summary: String { get }
    static func write(_ comparison: KindComparison) throws -> String
}

/// The forms that there are. A new one is a file here and a word in this list.
public enum ComparisonFormats {
    public static let all: [any ComparisonFormat.Type] = [
        ComparisonText.self, ComparisonJSON.self, ComparisonCSV.self, ComparisonHTML.self,
    ]

    /// Nil if there is none of this name.
    public static func named(_ name: String) -> (any ComparisonFormat.Type)? { all.first { $0.name == name } }
}

/// Everything, for programs.
enum ComparisonJSON: ComparisonFormat {
    static let name = "json"
    static let summary = "everything, for programs"
    static func write(_ comparison: KindComparison) throws -> String { try JSON.pretty(comparison) }
}

// What several forms say in the same words.

extension KindComparison {
    /// `2 of 5 attacks end otherwise on one kind than on another`.
    var summary: String {
        rows.isEmpty
            ? "The campaign has no attack."
            : "\(differences.count) of \(rows.count) attack\(rows.count == 1 ? "" : "s") "
                + "end\(differences.count == 1 ? "s" : "") otherwise on one kind than on another."
    }

    /// Attacks that are explained: where kinds differ or a run could not tell; of a single kind, all.
    var told: [Row] { kinds.count > 1 ? rows.filter { $0.differs || !$0.isKnown } : rows }
    var explanationTitle: String {
        let isCertain = told.allSatisfy(\.isKnown)
        return kinds.count == 1
            ? "What shows it"
            : isCertain ? "Where they differ, and what shows it" : "Where they differ or could not tell, and what shows it"
    }

    /// The command that gives the same again.
    var command: String { "orrery compare \(file) --kinds \(kinds.map(\.rawValue).joined(separator: ",")) --seed \(seed)" }

    /// Averages of one device, by kind: nil where it was not measured.
    func perDevice(_ value: (ResourceUse) -> Int64) -> [Double?] {
        costs.map { cost in cost.use.map { Double(value($0)) / Double(max(1, cost.devices)) } }
    }

    /// What it cost, a line for each measure and a word for each kind.
    var costLines: [(name: String, words: [String])] {
        func line(_ name: String, _ values: [Double?], _ words: (Double) -> String) -> (name: String, words: [String]) {
            (name, values.map { $0.map(words) ?? "–" })
        }
        func count(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))" : "\((value * 10).rounded() / 10)" }
        return [
            line("CPU time", perDevice(\.cpuNanoseconds)) { readable(.nanoseconds(Int64($0))) },
            line("sent", perDevice(\.sentBytes), readableBytes), line("received", perDevice(\.receivedBytes), readableBytes),
            line("flash sectors erased", perDevice(\.erasedSectors), count),
            line("flash programmed", perDevice(\.programmedBytes), readableBytes),
        ]
    }
}

extension KindComparison.Row {
    /// For a table: `*` where kinds differ, `?` where a run could not tell.
    var mark: String { differs ? "*" : isKnown ? " " : "?" }
}

extension KindComparison.Cell {
    var noticed: String { detectedAfterNanoseconds.map { readable(.nanoseconds($0)) } ?? "not noticed" }

    var backInOrder: String {
        guard let recovery else { return "the step has no end" }
        guard recovery.disturbed > 0 else { return "undisturbed" }
        let time = recovery.lastNanoseconds.map { readable(.nanoseconds($0)) }
        if let time, recovery.recovered == recovery.disturbed { return time }
        return "\(time.map { "\($0), " } ?? "")\(recovery.disturbed - recovery.recovered) of \(recovery.disturbed) not in this run"
    }

    /// What shows how it ended, with whom and when; and which protection that stops it this kind is made without.
    var explanation: String {
        var words =
            proof.map { proof in
                let when = proof.witness.map { "at \(readable($0.at - .start)), " } ?? "without a witness, "
                return "\(proof.target): \(when)\(proof.reason)"
            } ?? "it has no target"
        if outcome.isHarm, !madeWithout.isEmpty { words += " (made without \(madeWithout.joined(separator: ", ")))" }
        return words
    }
}
