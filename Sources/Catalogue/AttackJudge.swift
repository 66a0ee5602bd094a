public import Wire

/// How an attack on one target is judged, where the general way does not do. All are pure functions of the journal.
public struct AttackJudge: Sendable {
    public struct Proof: Sendable {
        public enum Harm: Sendable { case compromised, frozen, degraded }
        public var harm: Harm
        public var observation: Observation
        public var words: String
        public init(_ harm: Harm = .compromised, _ observation: Observation, _ words: String) {
            (self.harm, self.observation, self.words) = (harm, observation, words)
        }
    }

    /// What proves success where the attacker himself cannot see it: the victims' own observations.
    public var proof: @Sendable (Trial) -> Proof?
    /// Whether an observation of the defence's is the witness that the attack on this target was stopped. Those that bear a
    /// mark of the attack and refuse are witnesses already.
    public var isWitness: @Sendable (Trial, Observation) -> Bool

    /// Whether a connection that bears its mark is an attempt by itself; else only its own steps are.
    public var countsMarks: Bool

    public init(
        countsMarks: Bool = true,
        proof: @escaping @Sendable (Trial) -> Proof? = { _ in nil },
        isWitness: @escaping @Sendable (Trial, Observation) -> Bool = { _, _ in false }
    ) {
        self.countsMarks = countsMarks
        self.proof = proof
        self.isWitness = isWitness
    }
}
