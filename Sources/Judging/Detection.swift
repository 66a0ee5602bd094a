import Catalogue
import Planning
public import Wire

/// What the service's alerts were worth. Each alert names what the service saw; whose doing that was, the network knows. So an
/// alert counts for what caused it, by match, whenever it comes.
public struct Detection: Sendable, Equatable, Codable {
    /// Whose doing something was.
    public struct Cause: Sendable, Equatable, Codable {
        public enum Kind: String, Sendable, Codable { case attack, fault, release, outside }
        public var kind: Kind
        /// The step of the plan, or the gateway through which it came.
        public var step: String
    }

    public struct Alert: Sendable, Equatable, Codable {
        public var at: Instant
        public var rule: DetectionRule
        /// A device, an address or a group.
        public var subject: String
        public var technique: String
        public var evidence: String
        /// None for a false alarm: only the fleet itself has had a hand in what was seen.
        public var causes: [Cause]

        public func isOf(_ step: String) -> Bool { causes.contains { $0.step == step && $0.kind == .attack } }
        public func has(_ kind: Cause.Kind) -> Bool { causes.contains { $0.kind == kind } }
        public var isFalse: Bool { causes.isEmpty }
    }

    /// Of one rule or of all: 0…1, nil where there is nothing to divide by.
    public struct Worth: Sendable, Equatable, Codable {
        public var alerts = 0
        public var attacks = 0
        public var faults = 0
        public var releases = 0
        public var outside = 0
        public var falseAlarms = 0
        /// Among the alerts that are about an attack or about nothing.
        public var precision: Double? { attacks + falseAlarms == 0 ? nil : Double(attacks) / Double(attacks + falseAlarms) }

        mutating func add(_ alert: Alert) {
            alerts += 1
            if alert.has(.attack) {
                attacks += 1
            } else if alert.has(.fault) {
                faults += 1
            } else if alert.has(.release) {
                releases += 1
            } else if alert.has(.outside) {
                outside += 1
            } else {
                falseAlarms += 1
            }
        }
    }

    public var alerts: [Alert]
    public var all = Worth()
    public var byRule: [String: Worth] = [:]
    public var falseAlarms: Int { all.falseAlarms }

    init(_ plan: Plan, _ truth: GroundTruth) {
        let causes = Causes(plan, truth)
        alerts = truth.journal.compactMap { observation in
            let fact = observation.fact
            guard fact.kind == .alert, let rule = fact.text(.rule).flatMap(DetectionRule.init(rawValue:)) else { return nil }
            return Alert(
                at: observation.at, rule: rule, subject: fact.text(.device) ?? fact.text(.address) ?? fact.text(.subject) ?? "",
                technique: fact.text(.technique) ?? "", evidence: fact.text(.evidence) ?? "", causes: causes.of(observation))
        }
        for alert in alerts {
            all.add(alert)
            byRule[alert.rule.rawValue, default: Worth()].add(alert)
        }
    }
}

/// Finds whose doing something was that an alert names.
private struct Causes {
    private let plan: Plan
    private let truth: GroundTruth
    private let gateways: [(name: String, marks: Marks)]
    private let places: [String: (name: String, network: String)]

    init(_ plan: Plan, _ truth: GroundTruth) {
        (self.plan, self.truth) = (plan, truth)
        gateways = plan.gateways.map { gateway in
            var marks = Marks()
            marks.addresses = ["\(gateway.address)"]
            return (gateway.name, marks)
        }
        places = Dictionary(plan.devices.map { ("\($0.address)", ($0.name, $0.network)) }, uniquingKeysWith: { first, _ in first })
    }

    func of(_ alert: Observation) -> [Detection.Cause] {
        // Whoever has set a clock wrong has done what comes of it, whatever else has touched the connection.
        if let setter = truth.clockSetter(behind: alert.fact), let step = plan.steps.first(where: { $0.id == setter }) {
            return [.init(kind: step.act.isAttack ? .attack : .fault, step: setter)]
        }
        let begun = plan.steps.filter { $0.act.isAttack && $0.at <= alert.at }
        // Of those that have put the same bytes into the same device it is the last.
        let left = begun.compactMap { step in lastDigest(of: step, in: alert).map { (step, $0) } }
        let last = left.map(\.1).max()
        let attacks = begun.filter { step in isBehind(step, alert) || left.contains { $0.0.id == step.id && $0.1 == last } }
        if !attacks.isEmpty { return attacks.map { .init(kind: .attack, step: $0.id) } }
        let faults = plan.steps.filter { isBehind(fault: $0, alert) }
        if !faults.isEmpty { return faults.map { .init(kind: .fault, step: $0.id) } }
        let releases = plan.steps.filter { step in
            guard let order = step.release else { return false }
            // A program that somebody has broken into is not its vendor's doing, unless the vendor has broken it.
            if alert.fact.text(.rule) == DetectionRule.memoryCorruption.rawValue, order.defect == nil { return false }
            return truth.marks(of: step.id).match(alert.fact) || isBehind(release: step, alert) || isBetweenOwners(step, alert)
        }
        if !releases.isEmpty { return releases.map { .init(kind: .release, step: $0.id) } }
        return gateways.filter { $0.marks.match(alert.fact) }.map { .init(kind: .outside, step: $0.name) }
    }

    /// What the alert names bears a mark of the attack; or, of a device that is not heard of, what it last tried to say does.
    private func isBehind(_ step: Step, _ alert: Observation) -> Bool {
        guard alert.fact.text(.rule) == DetectionRule.silence.rawValue else {
            return truth.bears(truth.marks(of: step.id), alert.fact, of: step.id) || isOfClock(set: step, alert)
        }
        let since = heard(alert)
        return truth.traces[step.id]?.contains {
            $0.at >= since && $0.at <= alert.at
                && ($0.fact.text(.name) == alert.fact.text(.device) || $0.fact.text(.target) == alert.fact.text(.device))
        } ?? false
    }

    /// When an attack last left bytes that an alert names in the device that the alert is about.
    private func lastDigest(of step: Step, in alert: Observation) -> Instant? {
        guard truth.marks(of: step.id).matchDigest(alert.fact) else { return nil }
        let device = alert.fact.text(.device)
        return ((truth.traces[step.id] ?? []) + (truth.own[step.id] ?? [])).filter { observation in
            var marks = Marks()
            marks.take(observation.fact)
            let target = observation.fact.text(.target)
            return observation.at <= alert.at && (target == nil || device == nil || target == device) && marks.matchDigest(alert.fact)
        }.map(\.at).max()
    }

    /// Of a device that has taken its time from the attacker: what comes of a wrong clock names nothing that he has touched.
    private func isOfClock(set step: Step, _ alert: Observation) -> Bool {
        guard Causes.ofWrongClocks.contains(alert.fact.text(.rule) ?? "") else { return false }
        return devices(of: alert.fact).contains { device in
            truth.wrongClocks[device.name]?.contains { $0.step == step.id && $0.from <= alert.at } ?? false
        }
    }

    /// Certificates look too old or too new to a clock that is wrong, and it to others.
    private static let ofWrongClocks = Set(
        [DetectionRule.authenticationFailures, .timeRefused, .updateRefused].map(\.rawValue))

    /// An answer with the time that comes late, and connections that are held while they come to nothing.
    private static let ofSlowLinks = Set([DetectionRule.timeRefused, .flood].map(\.rawValue))

    private func heard(_ alert: Observation) -> Instant {
        plan.instant(unixSeconds: alert.fact.number(.sinceSeconds) ?? plan.epochSeconds) ?? .start
    }

    /// A fault that has hit whoever the alert is about, in the way that the alert is about.
    private func isBehind(fault step: Step, _ alert: Observation) -> Bool {
        guard let fault = truth.faults[step], step.at <= alert.at else { return false }
        let concerned = devices(of: alert.fact)
        func hits(_ device: (name: String, network: String)) -> Bool {
            (step.nodes + (step.otherNodes ?? [])).contains(device.name)
                || (step.networks + (step.otherNetworks ?? [])).contains(device.network) || fault.place == .service
        }
        let rule = alert.fact.text(.rule)
        // What keeps a device from being heard: it lasted while nothing was heard.
        if fault.silences, rule == DetectionRule.silence.rawValue { return step.end >= heard(alert) && concerned.contains(where: hits) }
        if fault.slows, Causes.ofSlowLinks.contains(rule ?? ""), concerned.contains(where: hits) {
            return step.end + .hours(24) >= alert.at
        }
        if fault.wrongClock != nil {
            return Causes.ofWrongClocks.contains(rule ?? "") && concerned.contains(where: hits)
                || truth.marks(of: step.id).matchUnique(alert.fact)
        }
        return fault.leavesMarks && truth.marks(of: step.id).match(alert.fact)
    }

    /// What silences a device may be what it has installed: it had done so when it was last heard of, and it has not gone back.
    private func isBehind(release step: Step, _ alert: Observation) -> Bool {
        guard alert.fact.text(.rule) == DetectionRule.silence.rawValue, let device = alert.fact.text(.device) else { return false }
        var installed = Set<String>()
        for observation in truth.journal where observation.node == device && observation.at <= alert.at {
            switch observation.fact.kind {
            case .updateInstalled where truth.marks(of: step.id).matchDigest(observation.fact):
                installed.insert(observation.fact.text(.component) ?? "")
            case .updateInstalled: installed.remove(observation.fact.text(.component) ?? "")
            case .updateReverted where observation.at <= heard(alert): installed = []
            default: break
            }
        }
        return !installed.isEmpty
    }

    /// Two devices did not trust each other while one belonged to the new owner already, and the other not yet.
    private func isBetweenOwners(_ step: Step, _ alert: Observation) -> Bool {
        guard step.act == .operate(.handOver), alert.fact.text(.rule) == DetectionRule.authenticationFailures.rawValue else { return false }
        let named = Set((alert.fact.text(.connection) ?? "").split(separator: " ").map(String.init))
        // Reports come a day late.
        let from = max(step.at, alert.at + .hours(-72))
        let first = truth.journal.partitioningIndex { $0.at >= from }
        var ends: [String: [(node: String, at: Instant)]] = [:]
        for observation in truth.journal[first...] {
            if observation.at > alert.at { break }
            guard observation.fact.kind == .handshake, let connection = observation.fact.text(.connection), named.contains(connection)
            else { continue }
            ends[connection, default: []].append((observation.node, observation.at))
        }
        return ends.values.contains { ends in Set(ends.map { truth.isHeirs($0.node, at: $0.at) }).count > 1 }
    }

    /// Devices that an alert names: itself, or by the connections that it opened.
    private func devices(of fact: Fact) -> [(name: String, network: String)] {
        let named = plan.devices.filter { $0.name == fact.text(.device) }.map { ($0.name, $0.network) }
        let connections = (fact.text(.connection) ?? "").split(separator: " ").compactMap { places[String($0.prefix { $0 != ":" })] }
        return named + connections + [places[fact.text(.address) ?? ""]].compactMap(\.self)
    }
}
