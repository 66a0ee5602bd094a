import Foundation
import Testing

@testable import Silicon

/// Programs write where they like, what they like: nothing of it may stop the process, and every value that a register is
/// read as must do for a snapshot.
@Suite struct PeripheralTests {
    /// SYSRAM, and nothing else.
    private final class Memory: DMAMemory {
        private var bytes = [UInt8](repeating: 0, count: 64 << 10)
        private func range(_ address: UInt32, _ count: Int) -> Range<Int>? {
            let start = Int(address) - 0x2200_0000
            return start >= 0 && count >= 0 && start + count <= bytes.count ? start..<start + count : nil
        }
        func dmaLoad(_ address: UInt32, _ count: Int) -> [UInt8]? { range(address, count).map { Array(bytes[$0]) } }
        func dmaStore(_ address: UInt32, _ content: [UInt8]) -> Bool {
            guard let range = range(address, content.count) else { return false }
            bytes.replaceSubrange(range, with: content)
            return true
        }
    }

    /// A board on which something is at every place, and answers too much or too little.
    private final class Surroundings: World {
        var draws = Draws(seed: 1)
        func analogInput(channel: Int, at now: Int64) -> UInt32 { draws.word() }
        func i2c(bus: Int, address: UInt8, writing bytes: [UInt8], reading count: Int, at now: Int64) -> [UInt8]? {
            address & 1 == 0 ? nil : [UInt8](repeating: 7, count: Int(draws.word() % 20))
        }
        func spi(bus: Int, select: Int, sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at now: Int64) -> [UInt8] {
            [UInt8](repeating: 9, count: Int(draws.word() % 40))
        }
        func hasCodec(unit: Int) -> Bool { unit == 0 }
        func audio(unit: Int, _ words: [UInt32], receiving count: Int, every spacing: Int64, at now: Int64) -> [UInt32] {
            [UInt32](repeating: 3, count: count)
        }
    }

    /// Xorshift: the same numbers everywhere.
    struct Draws {
        private var state: UInt32
        init(seed: UInt32) { state = seed &* 2_654_435_761 | 1 }
        mutating func word() -> UInt32 {
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            return state
        }
        mutating func pick<T>(_ items: [T]) -> T { items[Int(word() % UInt32(items.count))] }
    }

    private static let blocks: [UInt32] =
        [0x2100, 0x2101, 0x2102, 0x2103, 0x2104, 0x2105, 0x2106, 0x2108, 0x3001, 0x3002, 0x3003, 0x3009, 0x3106, 0x3800].map { $0 << 16 }
        + (0..<6).map { 0x3801_0000 + $0 << 16 } + (0..<8).map { 0x3807_0000 + $0 << 16 }

    @Test(arguments: 1...8 as ClosedRange<UInt32>) func whateverIsWrittenTheyStandUp(seed: UInt32) throws {
        var draws = Draws(seed: seed)
        let bus = Bus(world: Surroundings(), memory: Memory())
        var peripherals = Peripherals(.mt3620)
        for step in 0..<10_000 {
            let block = draws.pick(Self.blocks)
            let pages: [UInt32] = block == 0x2108_0000 ? (0...30).map { $0 << 8 } : [0, 0x100, 0x200, 0x300, 0x500, 0x1000, 0x4000]
            let address = block + draws.pick(pages) + draws.word() % 64 * 4
            let value = draws.pick([
                0, .max, draws.word(), draws.word() & 0xFF, 1 << (draws.word() & 31), 0x8000, 0x2200_0000 + draws.word() & 0xFFFF,
                0x3807_0000 + (draws.word() % 6) << 16 + draws.word() % 0x600,
            ])
            switch draws.word() % 4 {
            case 0: _ = peripherals.read(address, bus)
            case 1: peripherals.write(address, peripherals.read(address, bus) | value, bus)
            default: peripherals.write(address, value, bus)
            }
            _ = (peripherals.stableUntil(address, bus.now), peripherals.lines, peripherals.takeEdges(bus))
            bus.wantsReset = false
            if step % 4 == 0 {
                let next = peripherals.nextEvent
                bus.now = next > bus.now && next < bus.now + 50_000_000 ? next : bus.now + Int64(draws.word() % 1_000_000)
                if draws.word() % 8 == 0 { peripherals.take(.serial(.isu(Int(draws.word() % 6)), [1, 2, 3]), bus) }
                if draws.word() % 8 == 0 { peripherals.take(.pin(Int(draws.word() % 96), isHigh: draws.word() & 1 == 0), bus) }
                if peripherals.nextEvent <= bus.now { peripherals.advance(bus) }
            }
            if let hertz = bus.wantedHertz {
                bus.wantedHertz = nil
                peripherals.coreClockChanged(to: hertz, at: bus.now)
            }
        }
        let file = try JSONEncoder().encode(PeripheralState(peripherals))
        var again = try #require(try JSONDecoder().decode(PeripheralState.self, from: file).peripherals(of: .mt3620))
        let (ours, theirs) = ((again.lines, again.nextEvent), (peripherals.lines, peripherals.nextEvent))
        #expect(ours == theirs)
        again.advance(bus)
    }
}
