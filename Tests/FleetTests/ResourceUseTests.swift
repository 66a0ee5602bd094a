import Judging
import Testing
import Wire

/// What devices use up is told when a life of theirs is over, and only where the plan asks for it.
@Suite struct ResourceUseTests {
    private static let steps = """
          - { at: 4m, update: { image: panel@2 } }
          - { at: 20m, for: 1m, fault: power-cut, target: { devices: fridge } }
          - { at: 22m, for: 10s, fault: power-cut, operation: 2, target: { devices: oven } }
          - { at: 23m, operator: check-updates, target: { devices: oven } }
          - { at: 30m, for: 5m, attack: modified-image, target: { devices: fridge } }
        """
    private static let topology = Fleet.topology(
        stop: "40m", devices: "fridge: { network: home, apps: [panel], peers: [oven], update-every: 6m }",
        "oven: { network: home, apps: [panel], peers: [fridge], call-every: 1m }")

    private static func fleet(measured: Bool, _ disorder: Disorder? = nil) throws -> Fleet {
        let fleet = try Fleet((measured ? "measure: use\n" : "") + topology, method: steps, isSeeded: true, disorder: disorder)
        _ = try fleet.run()
        return fleet
    }

    @Test func aRunThatDoesNotAskIsAsItWas() throws {
        let (plain, measured) = (try Self.fleet(measured: false), try Self.fleet(measured: true))
        #expect(plain.facts(.resourcesUsed).isEmpty)
        let others = measured.journal.filter { $0.fact.kind != .resourcesUsed }
        #expect(others.map(Journal.line) == plain.journal.map(Journal.line))
        #expect(measured.facts(.resourcesUsed).allSatisfy { $0.node == "network" })
    }

    @Test func eachLifeIsToldOnceAndAddsUp() throws {
        let fleet = try Self.fleet(measured: true)
        let told = fleet.facts(.resourcesUsed)
        let killed = fleet.facts(.processKilled)
        #expect(killed.count >= 3)
        for name in ["fridge", "oven"] {
            let lives = told.filter { $0.fact.text(.name) == name }
            // One for each that was ended, and the last.
            #expect(lives.count == 1 + killed.count { $0.fact.text(.name) == name })
            let sum = lives.compactMap { ResourceUse($0.fact) }.reduce(ResourceUse(), +)
            #expect(Metrics(fleet.journal).use?[name] == sum)
            let numbers = [
                sum.cpuNanoseconds, sum.sentBytes, sum.receivedBytes, sum.erasedSectors, sum.programmedBytes, sum.mostErasures,
            ]
            #expect(numbers.allSatisfy { $0 > 0 }, "\(sum)")
            // It computes seldom: 40 minutes are not spent.
            #expect(sum.cpuNanoseconds < 400_000_000_000)
            // Whatever is programmed lies in sectors that were erased, or in free places of those that were.
            #expect(sum.programmedBytes > 4096)
        }
    }

    /// Counted up to the instant of the end, however far the device had been let ahead.
    @Test(arguments: 1...3) func disorderChangesNothing(seed: UInt64) throws {
        let whole = try Self.fleet(measured: true).journal.map(Journal.line)
        let other = try Self.fleet(measured: true, Disorder(seed: seed)).journal.map(Journal.line)
        for (a, b) in zip(whole, other) where a != b {
            Issue.record("\(a)\n\(b)")
            break
        }
        #expect(whole.count == other.count)
    }
}
