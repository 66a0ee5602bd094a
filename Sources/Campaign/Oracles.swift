import Wire

/// What proves an attack's success where the attacker himself cannot see it: the victims' own observations.
enum Oracle {
    /// The outcome with its proof; nil if nothing proves success.
    static func success(
        _ step: Step, _ attack: AttackName, _ plan: Plan, _ journal: [Observation]
    ) -> (Verdict.Outcome, Observation, String)? {
        let end = step.end
        switch attack {
        case .updateRollback: return rolledBack(step, journal, end)
        case .updateFreeze:
            return acceptedFalse(step, journal, end).map { (.frozen, $0, "\($0.node) took metadata that has expired for the newest") }
        case .updateMixAndMatch:
            return acceptedFalse(step, journal, end).map {
                (.compromised, $0, "\($0.node) accepted metadata of two releases as one (\($0.fact.text(.version) ?? ""))")
            }
        case .stolenSigningKey:
            let released = Set(journal.filter { $0.fact.kind == .imageAdded && $0.node == "service" }.map { $0.fact.text(.digest) })
            return journal.first {
                $0.fact.kind == .updateInstalled && step.nodes.contains($0.node) && $0.at >= step.at && $0.at < end
                    && !released.contains($0.fact.text(.digest))
            }.map { (.compromised, $0, "\($0.node) installed \($0.fact.text(.image) ?? ""), which nobody released") }
        case .credentialFlood:
            let addresses = Dictionary(uniqueKeysWithValues: plan.devices.map { ("\($0.address)", $0.name) })
            return journal.first {
                $0.node == "service" && $0.fact.kind == .refusal && $0.fact.text(.reason) == "no connection left"
                    && $0.at >= step.at && $0.at < end && step.nodes.contains(addresses[$0.fact.text(.address) ?? ""] ?? "")
            }.map { (.compromised, $0, "the service turned \(addresses[$0.fact.text(.address) ?? ""] ?? "") away: no connection left") }
        default: return nil
        }
    }

    /// The highest version of each component that a target ran, and then a lower one.
    private static func rolledBack(
        _ step: Step, _ journal: [Observation], _ end: Instant
    ) -> (Verdict.Outcome, Observation, String)? {
        var highest: [String: Int64] = [:]
        for observation in journal where observation.at < end && step.nodes.contains(observation.node) {
            guard observation.fact.kind == .bootStage, let version = observation.fact.number(.version),
                let image = observation.fact.text(.image)
            else { continue }
            let key = "\(observation.node) \(image)"
            if version < highest[key] ?? 0 && observation.at >= step.at {
                return (.compromised, observation, "\(observation.node) went back from \(image) \(highest[key] ?? 0) to \(version)")
            }
            highest[key] = max(highest[key] ?? 0, version)
        }
        return nil
    }

    /// A check for updates that ended well right after the target had been served what is not so.
    private static func acceptedFalse(_ step: Step, _ journal: [Observation], _ end: Instant) -> Observation? {
        var served: Set<String> = []
        for observation in journal where observation.at >= step.at && observation.at < end {
            let fact = observation.fact
            if fact.kind == .attackStep, fact.text(.instance) == step.id, fact.text(.result) == "served", let victim = fact.text(.target) {
                served.insert(victim)
            } else if fact.kind == .updateCheck, served.remove(observation.node) != nil {
                if ["current", "available"].contains(fact.text(.result)) { return observation }
            }
        }
        return nil
    }

    /// What shows that an attack was tried, beside its own word: its devices' failures, its victims' refusals.
    static func attempts(_ step: Step, _ attack: AttackName, _ journal: [Observation]) -> [Observation] {
        let end = step.end
        func seen(_ isAttempt: (Observation) -> Bool) -> [Observation] {
            journal.filter { $0.at >= step.at && $0.at < end && isAttempt($0) }
        }
        switch attack {
        case .clonedDevice:
            let clones = Set(step.nodes.map { $0 + "-clone" })
            return seen {
                clones.contains($0.node)
                    && ($0.fact.kind == .refusal || $0.fact.kind == .attestation && $0.fact.text(.result) == "failed")
            }
        case .stolenDeviceKey:
            let doubles = Set(step.nodes.map { $0 + "-double" })
            return seen { doubles.contains($0.node) && $0.fact.kind == .exchange && $0.fact.text(.result) != "accepted" }
        case .recordTamper:
            return seen { $0.fact.kind == .handshake && $0.fact.text(.result) == "failed" && step.nodes.contains($0.node) }
        case .modifiedImage: return seen { $0.fact.kind == .bootFallback && step.nodes.contains($0.node) }
        // Refused by boot code; or, if it runs, by the verifier.
        case .bootGlitch:
            return seen {
                step.nodes.contains($0.node)
                    && ($0.fact.kind == .bootFallback || $0.fact.kind == .attestation && $0.fact.text(.result) != "accepted")
            }
        case .debugPort: return seen { $0.fact.kind == .debugPort && step.nodes.contains($0.node) }
        case .updateRollback, .updateFreeze, .updateMixAndMatch, .endlessData, .stolenSigningKey:
            return seen { $0.fact.kind == .updateCheck && $0.fact.text(.result) == "refused" && step.nodes.contains($0.node) }
        case .timeSpoof: return seen { $0.fact.kind == .refusal && $0.fact.text(.operation) == "set clock" && step.nodes.contains($0.node) }
        default: return []
        }
    }
}
