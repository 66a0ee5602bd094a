public import Wire

/// What several attacks look for in a journal.
extension Trial {
    /// A check for updates that ended well on a connection on which the target had been served what is not so.
    public var acceptedCheck: Observation? {
        var served: Set<String> = []
        for observation in journal {
            let fact = observation.fact
            guard let connection = fact.text(.connection) else { continue }
            if fact.kind == .attackStep, fact.text(.instance) == step.id, fact.text(.target) == target {
                served.insert(connection)
            } else if fact.kind == .updateCheck, observation.node == target, served.contains(connection),
                ["current", "available"].contains(fact.text(.result))
            {
                return observation
            }
        }
        return nil
    }

    /// The version of an image that the target started last before an instant; 0 if none is known.
    public func versionThatRan(of image: String, before instant: Instant) -> Int64 {
        let name = image.prefix { $0 != "@" }
        func started(_ observations: ObservationLog.SubSequence) -> Int64? {
            observations.last { observation in
                observation.at < instant && observation.node == target && observation.fact.kind == .bootStage
                    && [.image, .stage].contains { (key: Fact.Detail) in
                        observation.fact.text(key)?.replacing(" ", with: "-") == String(name)
                    }
            }?.fact.number(.version)
        }
        return started(journal) ?? started(before) ?? 0
    }

    /// Whether the service has published an image.
    public func wasReleased(_ digest: String) -> Bool {
        for part in [before, journal] where part.contains(where: { $0.fact.kind == .imageAdded && $0.fact.text(.digest) == digest }) {
            return true
        }
        return false
    }

    /// Whether an observation says that the attacker was turned away, for one of these reasons.
    public func turnsAttackerAway(_ observation: Observation, _ codes: Code...) -> Bool {
        observation.fact.kind == .refusal && everywhere.matchUnique(observation.fact)
            && codes.map(\.rawValue).contains(observation.fact.text(.code) ?? "")
    }

    /// The service has no connection left for the target, while the attack lasts.
    public var turnedAway: AttackJudge.Proof? {
        guard let address else { return nil }
        return during.first {
            $0.fact.kind == .refusal && $0.fact.text(.code) == Code.noConnectionLeft.rawValue && $0.fact.text(.address) == "\(address)"
        }.map { .init(.compromised, $0, "the service turned \(target) away: no connection left") }
    }
}
