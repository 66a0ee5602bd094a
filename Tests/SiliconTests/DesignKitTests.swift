import Formats
import Testing

@testable import Silicon

/// Blocks of Arm's design kit against its manual (ARM DDI 0479): what QEMU cannot show, because its UART sends in no time and it
/// has no GPIO, and edges of what it does show.
@Suite struct DesignKitTests {
    private final class Lines: World {
        var sent: [(at: Int64, byte: UInt8)] = []
        var notes: [String] = []
        var levels: [Int: Bool] = [:]
        func transmitted(_ byte: UInt8, on port: SerialPortName, taking bits: Int64, at now: Int64) { sent.append((now, byte)) }
        func noted(_ text: String, at port: SerialPortName, at now: Int64) { notes.append(text) }
        func output(pin: Int, isHigh: Bool, at now: Int64) { levels[pin] = isHigh }
    }
    private final class NoMemory: DMAMemory {
        func dmaLoad(_ address: UInt32, _ count: Int) -> [UInt8]? { nil }
        func dmaStore(_ address: UInt32, _ bytes: [UInt8]) -> Bool { false }
    }

    /// The chip's blocks without a core.
    private struct Bench {
        let world = Lines()
        let bus: Bus
        var blocks = Peripherals(.mps2AN386)
        init() { bus = Bus(world: world, memory: NoMemory()) }

        mutating func write(_ address: UInt32, _ value: UInt32) { blocks.write(address, value, bus) }
        mutating func read(_ address: UInt32) -> UInt32 { blocks.read(address, bus) }
        /// Time goes on, from event to event as under a core.
        mutating func pass(cycles: Int64) {
            let end = bus.now + cycles * 40
            while blocks.nextEvent <= end {
                bus.now = max(bus.now, blocks.nextEvent)
                blocks.advance(bus)
            }
            bus.now = end
        }
        mutating func isHigh(_ line: Int) -> Bool { blocks.lines[CoreException.interrupts + line] }
        var warns: Bool { mutating get { blocks.lines[CoreException.nonMaskable] } }
    }

    private enum At {
        static let timer: UInt32 = 0x4000_0000
        static let dual: UInt32 = 0x4000_2000
        static let uart: UInt32 = 0x4000_4000
        static let watchdog: UInt32 = 0x4000_8000
        static let gpio: UInt32 = 0x4001_0000
        static let board: UInt32 = 0x4002_8000
    }

    @Test func aTimerStaysAtZeroForACycle() {
        var bench = Bench()
        bench.write(At.timer + 8, 9)
        bench.write(At.timer, 9)
        let values = (0..<13).map { _ in
            defer { bench.pass(cycles: 1) }
            return bench.read(At.timer + 4)
        }
        #expect(values == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 9, 8, 7])
        let isHigh = bench.isHigh(8)
        #expect(isHigh && bench.read(At.timer + 0xC) == 1)
        bench.write(At.timer + 0xC, 1)
        let isStillHigh = bench.isHigh(8)
        #expect(!isStillHigh)
        bench.pass(cycles: 5)
        #expect(bench.read(At.timer + 0xC) == 0)
        // A value that is written counts from there; the reload comes after.
        bench.write(At.timer + 4, 3)
        bench.pass(cycles: 3)
        #expect(bench.read(At.timer + 4) == 0 && bench.read(At.timer + 0xC) == 1)
        bench.pass(cycles: 1)
        #expect(bench.read(At.timer + 4) == 9)
    }

    @Test func nothingToReloadIsOnce() {
        var bench = Bench()
        bench.write(At.timer, 9)
        bench.pass(cycles: 100)
        #expect(bench.read(At.timer + 0xC) == 0)
        bench.write(At.timer + 4, 5)
        bench.pass(cycles: 100)
        #expect(bench.read(At.timer + 4) == 0 && bench.read(At.timer + 0xC) == 1)
        bench.write(At.timer + 0xC, 1)
        bench.pass(cycles: 1_000_000)
        #expect(bench.read(At.timer + 0xC) == 0)
        // A program that polls can be skipped to the next tick, or for ever.
        #expect(bench.blocks.stableUntil(At.timer + 0xC, bench.bus.now) == .max)
    }

    @Test func aDualTimerCountsSixteenBitsBehindAPrescaler() {
        var bench = Bench()
        #expect(bench.read(At.dual + 4) == 0xFFFF_FFFF && bench.read(At.dual + 8) == 0x20)
        bench.write(At.dual, 0xABCD_0003)
        bench.write(At.dual + 8, 0x80 | 1 << 2 | 0x20)  // on, by 16, free-running
        bench.pass(cycles: 16 * 3)
        #expect(bench.read(At.dual + 4) == 0xABCD_0000 && bench.read(At.dual + 0x10) == 1)
        bench.pass(cycles: 16)
        // The upper half is nobody's in this mode, and stays.
        #expect(bench.read(At.dual + 4) == 0xABCD_FFFF)
        let isHigh = bench.isHigh(10)
        #expect(isHigh)
        bench.write(At.dual + 8, 0x80 | 1 << 2)
        let isMasked = bench.isHigh(10)
        #expect(!isMasked && bench.read(At.dual + 0x10) == 1 && bench.read(At.dual + 0x14) == 0)
    }

    @Test func aDualTimerCountsOnceAndAgain() {
        var bench = Bench()
        bench.write(At.dual + 0x28, 0x63)  // 32 bits, periodic, once
        bench.write(At.dual + 0x20, 0x1_0000)
        bench.write(At.dual + 0x28, 0xE3)
        bench.pass(cycles: 0x1_0000 - 1)
        #expect(bench.read(At.dual + 0x30) == 0)
        bench.pass(cycles: 1)
        #expect(bench.read(At.dual + 0x30) == 1 && bench.read(At.dual + 0x24) == 0)
        bench.write(At.dual + 0x2C, 0)
        bench.pass(cycles: 0x4_0000)
        #expect(bench.read(At.dual + 0x30) == 0)
        // A new load begins a new round; and what is loaded in the background waits for its end.
        bench.write(At.dual + 0x20, 100)
        bench.pass(cycles: 100)
        #expect(bench.read(At.dual + 0x30) == 1)
        bench.write(At.dual + 0x28, 0xE2)  // again and again
        bench.write(At.dual + 0x20, 100)
        bench.write(At.dual + 0x38, 10)
        bench.pass(cycles: 50)
        #expect(bench.read(At.dual + 0x24) == 50)
        bench.pass(cycles: 51)
        #expect(bench.read(At.dual + 0x24) == 10)
    }

    @Test func aWatchdogWarnsThenResets() {
        var bench = Bench()
        bench.write(At.watchdog, 1000)
        bench.write(At.watchdog + 8, 3)
        bench.pass(cycles: 999)
        let before = bench.warns
        bench.pass(cycles: 1)
        let after = bench.warns
        #expect(!before && after && bench.read(At.watchdog + 0x14) == 1 && !bench.bus.wantsReset)
        // Cleared, it begins anew.
        bench.write(At.watchdog + 0xC, 1)
        #expect(bench.read(At.watchdog + 4) == 1000 && bench.read(At.watchdog + 0x10) == 0)
        // Locked, nothing of it can be written.
        bench.write(At.watchdog + 0xC00, 1)
        bench.pass(cycles: 1000)
        bench.write(At.watchdog + 0xC, 1)
        bench.write(At.watchdog + 8, 0)
        #expect(bench.read(At.watchdog + 0xC00) == 1 && bench.read(At.watchdog + 0x10) == 1 && bench.read(At.watchdog + 8) == 3)
        bench.pass(cycles: 1000)
        #expect(!bench.bus.wantsReset)
        bench.pass(cycles: 1)
        #expect(bench.bus.wantsReset)
    }

    @Test func aWatchdogWithoutItsResetOnlyWarns() {
        var bench = Bench()
        bench.write(At.watchdog, 100)
        bench.write(At.watchdog + 8, 1)
        bench.pass(cycles: 10_000)
        #expect(!bench.bus.wantsReset && bench.read(At.watchdog + 0x10) == 1)
        bench.write(At.watchdog + 0xC00, 7)
        bench.write(At.watchdog + 0xC00, 0x1ACC_E551)
        bench.write(At.watchdog + 8, 3)
        #expect(bench.bus.wantsReset)
    }

    @Test func aUARTLosesWhatIsWrittenTooEarly() {
        var bench = Bench()
        bench.write(At.uart + 0x10, 250)  // 100,000 baud: a byte takes 2,500 cycles
        bench.write(At.uart + 8, 1 | 1 << 2 | 1 << 4)
        bench.write(At.uart, 1)
        let isTold = bench.isHigh(1)
        #expect(isTold && bench.read(At.uart + 4) == 0)
        bench.write(At.uart + 0xC, 1)
        bench.write(At.uart, 2)
        let isFull = bench.isHigh(1)
        #expect(!isFull && bench.read(At.uart + 4) == 1)
        bench.write(At.uart, 3)
        let hasOverrun = bench.isHigh(12)
        #expect(bench.read(At.uart + 4) == 5 && bench.read(At.uart + 0xC) == 4 && hasOverrun)
        bench.write(At.uart + 0xC, 4)
        #expect(bench.read(At.uart + 4) == 1 && bench.read(At.uart + 0xC) == 0)
        bench.pass(cycles: 5000)
        #expect(bench.world.sent.map(\.byte) == [1, 3] && bench.world.sent.map(\.at) == [100_000, 200_000])
        #expect(bench.world.notes == ["a byte was written before the one before it was sent, which is lost"])
    }

    @Test func aUARTLosesWhatIsReadTooLate() {
        var bench = Bench()
        bench.write(At.uart + 0x10, 250)
        bench.write(At.uart + 8, 2 | 1 << 3 | 1 << 5)
        bench.blocks.take(.serial(.uart(0), [7, 8, 9]), bench.bus)
        bench.pass(cycles: 2499)
        #expect(bench.read(At.uart + 4) == 0)
        bench.pass(cycles: 1)
        let isTold = bench.isHigh(0)
        #expect(isTold && bench.read(At.uart + 4) == 2 && bench.read(At.uart) == 7 && bench.read(At.uart + 4) == 0)
        bench.write(At.uart + 0xC, 2)
        bench.pass(cycles: 5000)
        let hasOverrun = bench.isHigh(12)
        #expect(bench.read(At.uart + 4) == 0xA && bench.read(At.uart) == 9 && hasOverrun)
        bench.write(At.uart + 4, 8)
        let isQuiet = bench.isHigh(12)
        #expect(!isQuiet && bench.read(At.uart + 4) == 0)
    }

    /// Programs for emulators do not set the divisor: then nothing is lost.
    @Test func aUARTWithoutADivisorLosesNothing() {
        var bench = Bench()
        bench.write(At.uart + 8, 3)
        for byte in 1...5 as ClosedRange<UInt32> { bench.write(At.uart, byte) }
        #expect(bench.world.sent.map(\.byte) == [1, 2, 3, 4, 5])
        bench.blocks.take(.serial(.uart(0), [7, 8, 9]), bench.bus)
        let read = (0..<3).map { _ in
            bench.pass(cycles: 10)
            return bench.read(At.uart)
        }
        #expect(read == [7, 8, 9] && bench.read(At.uart + 4) == 0)
    }

    @Test func pinsAreWrittenBehindMasks() {
        var bench = Bench()
        bench.write(At.gpio + 0x10, 0xFFFF)
        bench.write(At.gpio + 0x400 + 0x81 * 4, 0xFF)
        #expect(bench.read(At.gpio + 4) == 0x81 && bench.world.levels[7] == true && bench.world.levels[1] == false)
        bench.write(At.gpio + 0x800 + 0x0F * 4, 0xFFFF)
        #expect(bench.read(At.gpio + 4) == 0x0F81 && bench.read(At.gpio) == 0x0F81)
        bench.write(At.gpio + 0x400 + 0x80 * 4, 0)
        #expect(bench.read(At.gpio + 4) == 0x0F01 && bench.read(At.gpio + 0x400 + 0x03 * 4) == 1)
        #expect(bench.read(At.gpio + 0x800 + 0x08 * 4) == 0x0800)
        bench.write(At.gpio + 0x14, 0xFF00)
        #expect(bench.read(At.gpio + 0x10) == 0x00FF && bench.read(At.gpio) == 0xFF01)
    }

    @Test func pinsInterruptByEdgeAndByLevel() {
        var bench = Bench()
        bench.write(At.gpio + 0x28, 1 << 3)
        bench.write(At.gpio + 0x30, 1 << 3)
        bench.write(At.gpio + 0x20, 1 << 3 | 1 << 4)
        // Pin 4 is wanted low, and is high.
        #expect(bench.read(At.gpio + 0x38) == 0)
        bench.blocks.take(.pin(3, isHigh: false), bench.bus)
        bench.blocks.take(.pin(4, isHigh: false), bench.bus)
        let lines = [6, 27, 28].map { bench.isHigh($0) }
        #expect(lines == [true, false, true])
        bench.write(At.gpio + 0x38, 0xFFFF)
        #expect(bench.read(At.gpio + 0x38) == 1 << 4)
        bench.blocks.take(.pin(4, isHigh: true), bench.bus)
        bench.blocks.take(.pin(3, isHigh: true), bench.bus)
        bench.write(At.gpio + 0x38, 1 << 4)
        #expect(bench.read(At.gpio + 0x38) == 1 << 3)
        bench.write(At.gpio + 0x38, 1 << 3)
        let isQuiet = bench.isHigh(6)
        #expect(!isQuiet)
    }

    @Test func theBoardCountsBehindItsPrescaler() {
        var bench = Bench()
        bench.write(At.board + 0x1C, 5)
        bench.write(At.board + 0x20, 7)
        let counts = (0...14).map { _ in
            defer { bench.pass(cycles: 1) }
            return [bench.read(At.board + 0x20), bench.read(At.board + 0x18)]
        }
        #expect(counts.map { $0[0] } == [7, 6, 5, 4, 3, 2, 1, 0, 5, 4, 3, 2, 1, 0, 5])
        #expect(counts.map { $0[1] } == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2])
        bench.write(At.board, 0xFF)
        #expect(bench.world.levels == [64: true, 65: true] && bench.read(At.board) == 3)
    }

    /// Whatever is written, and whenever.
    @Test(arguments: 1...6 as ClosedRange<UInt32>) func theyStandUp(seed: UInt32) throws {
        var draws = PeripheralTests.Draws(seed: seed)
        var bench = Bench()
        let bases = Chip.mps2AN386.description.blocks.map(\.base)
        for _ in 0..<20_000 {
            let offset = draws.pick([draws.word() % 16 * 4, 0xC00, 0xF00, 0xF04, 0x400 + draws.word() % 512 * 4])
            let address = draws.pick(bases) + offset
            let value = draws.pick([0, .max, draws.word(), draws.word() & 0xFF, 1 << (draws.word() & 31), 0x1ACC_E551])
            if draws.word() % 3 == 0 { _ = bench.read(address) } else { bench.write(address, value) }
            _ = (bench.blocks.stableUntil(address, bench.bus.now), bench.blocks.lines)
            if draws.word() % 4 == 0 {
                let next = bench.blocks.nextEvent
                let isNear = next > bench.bus.now && next < bench.bus.now + 50_000_000
                bench.bus.now = isNear ? next : bench.bus.now + Int64(draws.word() % 1_000_000)
                bench.blocks.advance(bench.bus)
                bench.blocks.take(.serial(.uart(Int(draws.word() % 5)), [1, 2, 3]), bench.bus)
                bench.blocks.take(.pin(Int(draws.word() % 70), isHigh: draws.word() & 1 == 0), bench.bus)
            }
        }
    }
}
