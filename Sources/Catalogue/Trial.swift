public import Wire

/// What a judge sees of one attack on one target: the plan's step, the journal, and what the network knows to be its doing.
public struct Trial: Sendable {
    public let step: Step
    public let target: String
    /// The address of the target on the emulated network.
    public let address: Address?
    /// From the beginning of the attack on, and after its end too: what it caused may come later.
    public let journal: ObservationLog.SubSequence
    /// What came before it.
    public let before: ObservationLog.SubSequence
    /// Facts of the attack's own about this target.
    public let own: [Observation]
    /// Marks that the attack has left on what concerns this target.
    public let marks: Marks
    /// Marks that it has left on anything.
    public let everywhere: Marks

    public init(
        step: Step, target: String, address: Address?, journal: ObservationLog.SubSequence, before: ObservationLog.SubSequence,
        own: [Observation], marks: Marks, everywhere: Marks
    ) {
        self.step = step
        self.target = target
        self.address = address
        self.journal = journal
        self.before = before
        self.own = own
        self.marks = marks
        self.everywhere = everywhere
    }

    /// While it lasted.
    public var during: ObservationLog.SubSequence { journal.prefix { $0.at < step.end } }
    public func seen(_ kind: Fact.Kind, by node: String? = nil) -> [Observation] {
        journal.filter { $0.fact.kind == kind && (node == nil || $0.node == node) }
    }
}

/// Marks by which an observation is known to be about something that an attack or a fault has done.
public struct Marks: Sendable, Equatable {
    public var connections: Set<String> = []
    public var addresses: Set<String> = []
    public var digests: Set<String> = []
    public var nonces: Set<String> = []
    public init() {}

    public mutating func take(_ fact: Fact) {
        func words(_ key: Fact.Detail) -> [String] { (fact.text(key) ?? "").split(separator: " ").map(String.init) }
        connections.formUnion(words(.connection))
        addresses.formUnion(words(.address))
        digests.formUnion(words(.digest))
        nonces.formUnion(words(.nonce))
    }

    /// True if something that an observation names bears one of the marks. A connection does if it was made from one of
    /// the addresses.
    public func match(_ fact: Fact) -> Bool { matchUnique(fact) || matchDigest(fact) }

    /// By what exists once in a run: connections, addresses, nonces.
    ///
    /// - Parameter counts: Connections that may count.
    public func matchUnique(_ fact: Fact, counting counts: (Substring) -> Bool = { _ in true }) -> Bool {
        func words(_ key: Fact.Detail) -> [Substring] { (fact.text(key) ?? "").split(separator: " ") }
        func isMarked(_ connection: Substring) -> Bool {
            connections.contains(String(connection)) || addresses.contains(String(connection.prefix { $0 != ":" }))
        }
        if words(.connection).contains(where: { isMarked($0) && counts($0) }) { return true }
        return words(.address).contains { addresses.contains(String($0)) } || words(.nonce).contains { nonces.contains(String($0)) }
    }

    /// By bytes, which two attacks may have put into two devices.
    public func matchDigest(_ fact: Fact) -> Bool {
        !digests.isEmpty && (fact.text(.digest) ?? "").split(separator: " ").contains { digests.contains(String($0)) }
    }
}
