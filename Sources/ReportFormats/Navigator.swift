public import Catalogue
public import Judging
import Planning
import Wire

/// For the ATT&CK Navigator.
enum NavigatorLayer: ReportFormat {
    static let name = "navigator"
    static let summary = "an ATT&CK Navigator layer"
    static let fileName: String? = "attack-layer.json"
    static func write(_ source: ReportSource) throws -> String { source.report.navigatorLayer(source.catalogue.attacks) }
}

extension Report {
    /// An ATT&CK Navigator layer (format 4.5, domain `ics-attack`): techniques that were tried, scored by the share of
    /// attacks that reached their goal, 0…100.
    public func navigatorLayer(_ attacks: ActList<AttackDescription>) -> String {
        var tried: [String: (all: Int, good: Int, names: [String])] = [:]
        for verdict in verdicts where verdict.outcome.isKnown {
            for technique in attacks[verdict.attack]?.techniqueIDs ?? [] {
                tried[technique, default: (0, 0, [])].all += 1
                if [.compromised, .frozen].contains(verdict.outcome) { tried[technique]?.good += 1 }
                if tried[technique]?.names.contains(verdict.attack) == false { tried[technique]?.names.append(verdict.attack) }
            }
        }
        let layer = Layer(
            name: "\(name), seed \(seed)",
            description: "Share of attacks that reached their goal, as measured by Orrery. Journal \(digest).",
            techniques: tried.sorted { $0.key < $1.key }.map { id, count in
                Layer.Technique(
                    techniqueID: id, score: count.good * 100 / max(1, count.all),
                    comment: "\(count.good) of \(count.all) reached their goal: \(count.names.joined(separator: ", "))")
            })
        return (try? JSON.pretty(layer)) ?? ""
    }
}

private struct Layer: Encodable {
    struct Technique: Encodable {
        var techniqueID: String
        var score: Int
        var comment: String
        var enabled = true
    }
    struct Gradient: Encodable {
        var colors = ["#8ec843", "#ffe766", "#ff6666"]
        var minValue = 0
        var maxValue = 100
    }

    var name: String
    var versions = ["attack": "18", "navigator": "5.1.0", "layer": "4.5"]
    var domain = "ics-attack"
    var description: String
    var gradient = Gradient()
    var techniques: [Technique]
}

extension AttackDescription {
    /// ATT&CK technique IDs, such as `T0857`.
    var techniqueIDs: [String] { techniques.map { String($0.prefix { $0 != " " }) } }
}
