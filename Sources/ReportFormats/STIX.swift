import Catalogue
import Foundation
import Judging
import Planning
import SecureChannel
import Wire

/// A run's attacks and alerts in STIX 2.1. Identifiers follow from names (UUIDv5) and times from the run's clock, so that the
/// same run gives the same bundle.
///
/// - `identity`: Orrery, the fleet's service, and each device that something happened to.
/// - `attack-pattern`: each attack of the run, and each technique that an alert names, with their ATT&CK and EMB3D identifiers.
/// - `relationship`: which attack targeted whom, and how it ended.
/// - `observed-data` and `sighting`: each alert, of whom, with what stood behind it.
/// - `indicator`: an address that alerts name.
/// - `report`: all of these.
struct STIXBundle: Encodable, ReportFormat {
    static let name = "stix"
    static let summary = "a STIX 2.1 bundle"
    static let fileName: String? = nil
    static func write(_ source: ReportSource) throws -> String {
        try STIXBundle(source.report, source.plan, source.catalogue.attacks).json()
    }

    private(set) var type = "bundle"
    private(set) var id = ""
    private(set) var objects: [Object] = []

    /// One object with the properties that its type has; the others are left out.
    struct Object: Encodable {
        struct Reference: Encodable {
            var sourceName: String
            var externalId: String?
            var url: String?
        }

        var type: String
        var specVersion = "2.1"
        var id: String
        var created, modified, createdByRef: String?
        var name, description, identityClass: String?
        var externalReferences: [Reference]?
        var labels: [String]?
        var indicatorTypes: [String]?
        var pattern, patternType, validFrom: String?
        var relationshipType, sourceRef, targetRef: String?
        var sightingOfRef: String?
        var whereSightedRefs, observedDataRefs: [String]?
        var count, numberObserved: Int?
        var firstSeen, lastSeen, firstObserved, lastObserved: String?
        var objectRefs: [String]?
        var published: String?
        var reportTypes: [String]?
        var value: String?

        init(_ type: String, id: String) { (self.type, self.id) = (type, "\(type)--\(id)") }
    }

    private let report: Report
    private let plan: Plan
    private var known: Set<String> = []

    private enum CodingKeys: CodingKey { case type, id, objects }

    init(_ report: Report, _ plan: Plan, _ catalogue: ActList<AttackDescription>) {
        (self.report, self.plan) = (report, plan)
        id = "bundle--\(uuid("bundle"))"
        add(author)
        for verdict in report.verdicts { add(verdict, catalogue) }
        for (index, alert) in report.detection.alerts.enumerated() { add(alert, index) }
        var summary = made("report", "report", at: stop)
        summary.name = "\(report.name), seed \(report.seed)"
        summary.description = "What attacks on this fleet came to, and what its service noticed. Journal \(report.digest)."
        summary.published = time(stop)
        summary.reportTypes = ["attack-pattern", "observed-data"]
        summary.objectRefs = objects.map(\.id)
        add(summary)
    }

    /// As STIX writes it: names with underscores, keys in order.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    // MARK: Names and times

    private static let space = [UInt8](hex: nameUUID(UUIDSpace.url, Array("urn:orrery:stix".utf8)).replacing("-", with: "")) ?? []

    /// Of something in this run.
    private func uuid(_ name: String) -> String { nameUUID(STIXBundle.space, Array("\(report.digest)/\(name)".utf8)) }
    /// Of something that is the same in all runs.
    private static func uuid(ofAll name: String) -> String { nameUUID(space, Array(name.utf8)) }

    private var stop: Instant { .start + .nanoseconds(report.elapsedNanoseconds) }

    /// RFC 3339 in UTC with milliseconds, by the run's clock.
    private func time(_ instant: Instant) -> String {
        let nanoseconds = (instant - .start).nanoseconds
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return STIXBundle.time(unixSeconds: plan.epochSeconds + seconds, milliseconds: rest / 1_000_000)
    }

    private static func time(unixSeconds: Int64, milliseconds: Int64 = 0) -> String {
        let date = Date(timeIntervalSince1970: TimeInterval(unixSeconds)).formatted(.iso8601)
        let digits = String(milliseconds + 1000).dropFirst()
        return "\(date.dropLast()).\(digits)Z"
    }

    /// When what is the same in all runs was "created": an object's identifier and its times go together.
    private static let catalogued = time(unixSeconds: 1_767_225_600)

    private func made(_ type: String, _ name: String, at instant: Instant) -> Object {
        var object = Object(type, id: uuid("\(type)/\(name)"))
        (object.created, object.modified, object.createdByRef) = (time(instant), time(instant), author.id)
        return object
    }

    private func catalogued(_ type: String, _ name: String) -> Object {
        var object = Object(type, id: STIXBundle.uuid(ofAll: "\(type)/\(name)"))
        (object.created, object.modified) = (STIXBundle.catalogued, STIXBundle.catalogued)
        if type != "identity" { object.createdByRef = author.id }
        return object
    }

    private mutating func add(_ object: Object) { if known.insert(object.id).inserted { objects.append(object) } }

    // MARK: Who and what

    private var author: Object {
        var object = Object("identity", id: STIXBundle.uuid(ofAll: "identity/orrery"))
        (object.created, object.modified) = (STIXBundle.catalogued, STIXBundle.catalogued)
        (object.name, object.identityClass) = ("Orrery", "system")
        return object
    }

    /// A device, the service, or a group of devices of this run.
    private mutating func identity(_ name: String) -> String {
        var object = made("identity", name, at: .start)
        object.name = name
        object.identityClass = plan.devices.contains { $0.name == name } || name == "service" ? "system" : "group"
        object.description = plan.devices.first { $0.name == name }.map { "A device of product \($0.product) in network \($0.network)" }
        add(object)
        return object.id
    }

    private static func reference(_ technique: String) -> Object.Reference {
        .init(sourceName: "mitre-attack", externalId: technique, url: "https://attack.mitre.org/techniques/\(technique)/")
    }

    private mutating func add(_ verdict: Verdict, _ catalogue: ActList<AttackDescription>) {
        var pattern = catalogued("attack-pattern", verdict.attack)
        pattern.name = verdict.attack
        if let attack = catalogue[verdict.attack] {
            pattern.description = attack.mechanism
            let techniques = attack.techniques.map { STIXBundle.reference(String($0.prefix { $0 != " " })) }
            let threats = attack.threats.map {
                Object.Reference(sourceName: "mitre-emb3d", externalId: $0, url: "https://emb3d.mitre.org/threats/\($0).html")
            }
            pattern.externalReferences = techniques + threats
        }
        add(pattern)
        for target in verdict.targets {
            var relationship = made("relationship", "\(verdict.step)/\(target.name)", at: target.witness?.at ?? stop)
            relationship.relationshipType = "targets"
            (relationship.sourceRef, relationship.targetRef) = (pattern.id, identity(target.name))
            relationship.description = "\(target.outcome.rawValue) after \(target.attempts) attempts: \(target.reason)"
            relationship.labels = [target.outcome.rawValue]
            add(relationship)
        }
    }

    private static let techniqueNames = [
        "T0804": "Block Reporting Message", "T0814": "Denial of Service", "T0816": "Device Restart/Shutdown",
        "T0830": "Adversary-in-the-Middle", "T0846": "Remote System Discovery", "T0849": "Masquerading", "T0857": "System Firmware",
        "T0866": "Exploitation of Remote Services", "T0869": "Standard Application Layer Protocol",
    ]

    private mutating func add(_ alert: Detection.Alert, _ index: Int) {
        var technique = catalogued("attack-pattern", alert.technique)
        technique.name = STIXBundle.techniqueNames[alert.technique] ?? alert.technique
        technique.externalReferences = [STIXBundle.reference(alert.technique)]
        add(technique)
        let device = plan.devices.first { $0.name == alert.subject }
        let numbers = alert.subject.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        let address = device.map { "\($0.address)" } ?? (numbers.count == 4 && !numbers.contains(nil) ? alert.subject : nil)
        let service = identity("service")
        let truth = alert.causes.map { "\($0.kind.rawValue) \($0.step)" }.joined(separator: ", ")
        var sighting = made("sighting", "\(index)", at: alert.at)
        sighting.description =
            "\(alert.rule.rawValue) of \(alert.subject): \(alert.evidence). Behind it: \(truth.isEmpty ? "nothing" : truth)."
        sighting.labels = [alert.rule.rawValue, alert.isFalse ? "false-alarm" : alert.has(.attack) ? "attack" : "benign"]
        (sighting.firstSeen, sighting.lastSeen, sighting.count) = (time(alert.at), time(alert.at), 1)
        (sighting.sightingOfRef, sighting.whereSightedRefs) = (technique.id, [service])
        if let address {
            let seen = observable(address)
            var data = made("observed-data", "\(index)", at: alert.at)
            (data.firstObserved, data.lastObserved, data.numberObserved) = (time(alert.at), time(alert.at), 1)
            data.objectRefs = [seen]
            add(data)
            sighting.observedDataRefs = [data.id]
        }
        add(sighting)
        // Whoever is none of the fleet's is worth looking for.
        guard device == nil, let address else { return }
        var indicator = made("indicator", address, at: alert.at)
        indicator.name = "Address \(address)"
        indicator.description = "First named by an alert of the rule \(alert.rule.rawValue)"
        indicator.indicatorTypes = [alert.has(.attack) ? "malicious-activity" : "anomalous-activity"]
        (indicator.pattern, indicator.patternType, indicator.validFrom) = ("[ipv4-addr:value = '\(address)']", "stix", time(alert.at))
        add(indicator)
        var indicates = made("relationship", "\(address)/\(alert.technique)", at: alert.at)
        (indicates.relationshipType, indicates.sourceRef, indicates.targetRef) = ("indicates", indicator.id, technique.id)
        add(indicates)
    }

    /// An observable's identifier is made of its value (STIX 2.1 section 2.9), as RFC 8785 writes it.
    private mutating func observable(_ address: String) -> String {
        var object = Object("ipv4-addr", id: nameUUID(UUIDSpace.stix, Array(#"{"value":"\#(address)"}"#.utf8)))
        object.value = address
        add(object)
        return object.id
    }
}
