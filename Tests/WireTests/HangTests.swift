import Testing
import Wire

/// A node that hangs with its power on.
@Suite struct HangTests {
    /// Says each event that it handles, and is due every second.
    private struct Clockwork: Node {
        var nextWake: Instant? = .start + .seconds(1)
        mutating func handle(_ event: Event, _ out: inout Outbox) {
            out.observe(.appLog, [.text: .text("\(event)")])
            if event == .wake { nextWake = out.now + .seconds(1) }
        }
    }

    private static let hang = Event.command(CommandName.hang, JSON.encode(Instant.start + .seconds(10)))

    private func texts(_ effects: [Effect]) -> [String] {
        effects.compactMap { if case .observe(let fact) = $0.action { fact.text(.text) } else { nil } }
    }

    @Test func itDoesNothingAndThenAllThatIsDue() {
        var runner = NodeRunner(Clockwork())
        func grant(_ seconds: Int, _ events: [(Int, Event)] = []) -> Yield {
            runner.run(
                Grant(
                    until: .start + .seconds(seconds), lookahead: .milliseconds(1),
                    deliveries: events.map { Delivery(at: .start + .milliseconds($0), source: "a", sequence: UInt64($0), event: $1) }))
        }
        let before = grant(5, [(2_500, Self.hang), (2_700, .start)])
        #expect(
            texts(before.effects) == ["wake", "wake"] && before.nextWork == .start + .seconds(10) && before.nextSend == before.nextWork)
        #expect(grant(9, [(6_000, .finished(StreamID(raw: 1)))]).effects.isEmpty)
        let after = grant(12)
        #expect(texts(after.effects) == ["start", "wake", "finished(Wire.StreamID(raw: 1))", "wake"])
        #expect(after.effects.map(\.at) == [10, 10, 10, 11].map { .start + .seconds($0) })
    }

    @Test func onTheWallClockToo() {
        var runner = NodeRunner(Clockwork())
        _ = runner.perform(Self.hang, at: .start + .seconds(1))
        #expect(runner.nextWork == .start + .seconds(10))
        #expect(runner.perform(.start, at: .start + .seconds(3)).isEmpty && runner.nextWork == .start + .seconds(10))
        let after = runner.perform(.wake, at: .start + .seconds(10))
        #expect(texts(after) == ["start", "wake"] && after.allSatisfy { $0.at == .start + .seconds(10) })
    }
}
