import ArgumentParser
import Catalogue
import Injector
import Planning

struct Kinds: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What kinds of device there are, or one of them in full.")

    @Argument(help: "One kind.") var name: String?

    func run() throws {
        guard let name else {
            for kind in DeviceKind.allCases {
                print(([kind.rawValue] + wrapped(kind.description.summary, after: "    ")).joined(separator: "\n"))
            }
            return
        }
        guard let kind = DeviceKind(rawValue: name) else {
            throw ValidationError("unknown kind '\(name)'; there are \(DeviceKind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        for line in lines(kind) { print(line) }
    }

    private func lines(_ kind: DeviceKind) -> [String] {
        let description = kind.description
        let features = DeviceFeature.allCases
        let (has, lacks) = (features.filter(description.features.contains), features.filter { !description.features.contains($0) })
        var lines = wrapped(description.summary, after: "\(kind.rawValue): ") + [""]
        for (name, words) in [
            ("keys", description.keys), ("evidence", description.evidence), ("updates", description.updateChannel.rawValue),
            ("hardware", description.hardware), ("has", list(has.map(\.rawValue))), ("lacks", list(lacks.map(\.rawValue))),
            ("not for it", list(impossible(kind))),
        ] { lines += wrapped(words, after: "  \(name)".padded(15)) }
        if !description.lacks.isEmpty {
            lines.append("  made without these controls, as if each were switched off:")
            for control in description.lacks { lines += wrapped("\(control.rawValue): \(control.whenOff)", after: "    ") }
        }
        lines.append("  in a file    fridge: { count: 4, network: home, kind: \(kind.rawValue) }")
        lines.append("  compare it   orrery compare CAMPAIGN --kinds \(DeviceKind.allCases.map(\.rawValue).joined(separator: ","))")
        return lines
    }

    /// Attacks on what it does not have, with what that is: a campaign that aims one at it is refused.
    private func impossible(_ kind: DeviceKind) -> [String] {
        Injector.catalogue.attacks.all.compactMap { attack in
            let missing = attack.requires.subtracting(kind.description.features).map(\.rawValue).sorted()
            return missing.isEmpty ? nil : "\(attack.name) (no \(missing.joined(separator: ", no ")))"
        }
    }

    private func list(_ words: [String]) -> String { words.isEmpty ? "nothing" : words.joined(separator: ", ") }
}
