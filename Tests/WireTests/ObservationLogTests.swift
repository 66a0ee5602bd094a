import Testing
import Wire

@Suite struct ObservationLogTests {
    private static let count = ObservationLog.blockCount * 6 + 17
    private static let all = (0..<count).map {
        Observation(
            at: Instant(nanoseconds: Int64($0)), node: "n\($0 % 5)", sequence: UInt64($0),
            fact: Fact(.osReady, [.count: .number(Int64($0))]))
    }

    /// What comes out of blocks is what went in, in whatever order it is asked for.
    @Test func blocksAreTheWhole() throws {
        let blocks = stride(from: 0, to: Self.count, by: ObservationLog.blockCount).map {
            ObservationLog.encode(Array(Self.all[$0..<min($0 + ObservationLog.blockCount, Self.count)]))
        }
        let log = ObservationLog(count: Self.count) { (try? ObservationLog.decode(blocks[$0])) ?? [] }
        #expect(log.count == Self.count && Array(log).map(\.fact) == Self.all.map(\.fact))
        #expect(Array(log.reversed()).map(\.at) == Self.all.reversed().map(\.at))
        for index in stride(from: 0, to: Self.count, by: 97) {
            let other = (index * 7919) % Self.count
            #expect(log[index].at == Self.all[index].at && log[other].node == Self.all[other].node)
        }
        #expect(log[1000...].first?.at == Self.all[1000].at && log.last?.at == Self.all.last?.at)
        #expect(throws: WireError.self) { try ObservationLog.decode([UInt8](blocks[0].dropLast())) }
    }
}
