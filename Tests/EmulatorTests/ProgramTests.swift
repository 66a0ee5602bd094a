import Emulator
import Formats
import Foundation
import Silicon
import Testing

/// A program of `Sources/Guest/Tests`, as `scripts/guest --tests` builds it with gcc, and what it did.
struct Ran {
    /// Virtual nanoseconds, and a line of the debug UART or of an attachment.
    var lines: [(at: Int64, text: String)] = []
    var end: Emulation.End
    var core: RealTimeCore

    var texts: [String] { lines.map(\.text) }

    static func program(_ name: String) throws -> ELFImage {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appendingPathComponent(".build/guest/tests/\(name).elf").path
        return try ELFImage(Array(try #require(FileManager.default.contents(atPath: path), "run scripts/guest --tests first")))
    }

    /// - Parameter keep: Given the whole emulation before it runs.
    init(
        _ name: String, seconds: Double, attach: [String] = [], change: (RealTimeCore) -> Void = { _ in },
        keep: ((Emulation) -> Void)? = nil
    ) throws {
        final class Log {
            var lines: [(at: Int64, text: String)] = []
            var serial = SerialLine()
        }
        let log = Log()
        let emulation = try Emulation(try Ran.program(name), attach: attach) { now, event in
            switch event {
            case .serial(.debug, let bytes): for byte in bytes { log.serial.add(byte).map { log.lines.append((now, $0)) } }
            case .serial: break
            case .attachment(let place, let text): log.lines.append((now, "\(place) \(text)"))
            case .fault(let fault): log.lines.append((now, "fault: \(fault.cause)"))
            case .reset(let reason): log.lines.append((now, "reset: \(reason)"))
            case .console(let bytes): log.lines.append((now, String(decoding: bytes, as: UTF8.self)))
            }
        }
        keep?(emulation)
        change(emulation.core)
        end = emulation.run(until: Int64(seconds * 1e9))
        lines = log.lines
        core = emulation.core
    }

    /// Whether a line came within a millisecond of a virtual instant.
    func has(_ text: String, at seconds: Double) -> Bool {
        lines.contains { $0.text == text && abs(Double($0.at) / 1e9 - seconds) < 1e-3 }
    }
}

@Suite struct ProgramTests {
    /// Up and down, as an encoder, with captures; and the microsecond timer, whose alarm is one interrupt.
    @Test func pinsAreCounted() throws {
        let ran = try Ran(
            "counter", seconds: 0.1,
            attach: [
                "button@gpio12:1ms/1ms,3ms/1ms,20ms/1ms,22ms/1ms,24500us/1ms,26500us/1ms",
                "button@gpio13:6ms/1ms,8ms/1ms,10ms/1ms,20500us/1ms,22500us/1ms,24ms/1ms,26ms/1ms",
            ])
        #expect(
            ran.texts == [
                "crystal 2", "up 102", "more 104", "told 2", "down 98", "told 3", "hits 3", "forward 104", "captures 2", "back 100",
                "captured 4", "last 100", "empty 1", "done",
            ])
        #expect(ran.has("up 102", at: 0.0025) && ran.has("back 100", at: 0.0295))
    }

    /// CCR's traps, events (an interrupt before WFE is not lost), and one register that is closed among others.
    @Test func whatTheCoreIsToldToRefuseItRefuses() throws {
        let ran = try Ran("traps", seconds: 0.1)
        #expect(
            ran.texts.filter { !$0.hasPrefix("fault: ") } == [
                "quietly 0", "unaligned 1", "eight by two 4", "fault 02000000", "by zero 77", "nine by three 3", "signed 4", "sum 7069",
                "aligned 1", "fault 01000000", "refused 5", "fault 01000000", "kept 1", "fault 01000000", "register 5", "quietly 0",
                "events 1", "woken 2", "status 0", "fault 00000082 at 21030030", "free 0", "done",
            ])
        #expect(ran.core.unmodelled.isEmpty)
    }

    /// As kernels without ticks do it: masked sleep, the timer's flag, and what is left of a period that something cut short.
    @Test func sleepWithoutTicksIsMeasured() throws {
        let ran = try Ran("tickless", seconds: 0.1)
        #expect(ran.texts == ["slept 2600", "ticks 1", "woken after 1047", "ticks 1", "alarms 1", "done"])
        #expect(ran.has("slept 2600", at: 0.01))
    }

    /// I2S: 20 rings' quarters of 256 words at 48 kHz through the loopback, then a codec's 500 Hz at 16 kHz.
    @Test func soundGoesOutAndComesBack() throws {
        let ran = try Ran("sound", seconds: 0.2, attach: ["codec@i2s0:500"])
        #expect(
            ran.texts == [
                "i2s0 sound", "received 20", "sent 21", "wrong 0", "first 0", "highest 7885", "lowest -7886", "crossings 16", "done",
                "i2s0 silence",
            ])
        #expect(ran.has("received 20", at: 20.0 * 256 / 48_000) && ran.has("highest 7885", at: 20.0 * 256 / 48_000 + 256.0 / 16_000))
        // Nobody gives a clock.
        #expect(try Ran("sound", seconds: 0.2).texts.last == "first 0")
    }

    @Test func aTimerTicksEverySecondAndALightFollows() throws {
        let ran = try Ran("tick", seconds: 5.5, attach: ["led@gpio8"])
        for second in 1...5 {
            #expect(ran.has("second \(second)", at: Double(second)))
            #expect(ran.has("gpio8 \(second % 2 == 1 ? "on" : "off")", at: Double(second)))
        }
        #expect(ran.lines.count == 11)
        // It waits in between.
        #expect(ran.core.instructions < 10_000)
        #expect(ran.core.unmodelled.isEmpty)
    }

    /// Each refusal at its instruction, with status and address; what is allowed beside it, in the same page, goes on.
    @Test func memoryIsProtected() throws {
        let ran = try Ran("mpu", seconds: 1)
        let printed = ran.texts.filter { !$0.hasPrefix("fault: ") }
        #expect(
            printed == [
                "fault 00000082 at 00000400", "fault 00000082 at 0000041c", "fault 00000082 at 0000041c", "fault 00000082 at 00000800",
                "first 7", "fault 00000001", "fault 00000082 at fffff020", "fault 00000082 at 00000000", "task", "secret 7", "open 10",
                "fault 00080000", "end",
            ])
        #expect(ran.core.unmodelled.isEmpty)
    }

    /// Code that stays in flash runs where it was linked for, wherever it lies in its file.
    @Test func codeIsExecutedInPlace() throws {
        #expect(try Ran.program("flash").segments.contains { $0.address >> 28 == 1 })
        let ran = try Ran("flash", seconds: 2.5)
        #expect(ran.texts == ["tick", "second 1", "second 2"])
    }

    /// An entry point that is code: the vector table is found by it.
    @Test func theEntryPointMayBeTheResetHandler() throws {
        #expect(try Ran.program("entry").entry & 1 != 0)
        #expect(try Ran("entry", seconds: 1.5).texts == ["tick", "second 1"])
    }

    /// 199 ticks of 33/32768 s, three times, then 100.
    @Test func pollingLoopsWaitAsLongAsTheyShould() throws {
        let ran = try Ran("poll", seconds: 1)
        for n in 1...3 { #expect(ran.has("waited \(n)", at: Double(n) * 199 * 33 / 32_768)) }
        #expect(ran.lines.count == 4)
    }

    /// What is skipped must not show: the same lines at the same nanoseconds, at a fraction of the work.
    @Test(arguments: ["poll", "tick", "tasks", "watchdog"]) func skippingLoopsChangesNothing(name: String) throws {
        let fast = try Ran(name, seconds: 0.35)
        let slow = try Ran(name, seconds: 0.35) { $0.skipsLoops = false }
        #expect(fast.texts == slow.texts)
        #expect(fast.lines.map(\.at) == slow.lines.map(\.at))
        if name == "poll" { #expect(fast.core.instructions * 3 < slow.core.instructions) }
    }

    @Test func aButtonInterruptsAndDrivesARelay() throws {
        let ran = try Ran("pins", seconds: 5, attach: ["button@gpio12:1s/200ms,3s/1s", "relay@gpio0"])
        #expect(ran.texts == ["gpio0 closed", "pressed", "gpio0 open", "released", "gpio0 closed", "pressed", "gpio0 open", "released"])
        #expect(ran.has("pressed", at: 1) && ran.has("released", at: 1.2) && ran.has("pressed", at: 3) && ran.has("released", at: 4))
        #expect(ran.end == .asleepForEver)
    }

    @Test func voltagesAreReadAndLightFades() throws {
        let ran = try Ran("analog", seconds: 1, attach: ["thermistor@adc0:25", "voltage@adc1:1.25", "led@pwm0.0", "led@pwm0.1"])
        #expect(Array(ran.texts.prefix(11)) == (0...10).map { "pwm0.0 \($0 * 10) %" })
        #expect(
            Array(ran.texts.dropFirst(11)) == [
                "pwm0.1 25 %", "pwm0.1 0 %", "pwm0.1 25 %", "pwm0.1 75 %",
                "channel 0 = 2047", "channel 1 = 2048", "interrupt: channel 0 = 2047", "interrupt: channel 1 = 2048", "done",
            ])
    }

    @Test func sensorsAnswerOnBuses() throws {
        let ran = try Ran("buses", seconds: 1, attach: ["imu@i2c2", "imu@spi1", "echo@isu0"])
        #expect(ran.texts == ["i2c 00000069", "nobody: 1", "left over 0", "z 16393", "spi 00000069", "echo"])
    }

    /// Rings whose pointers count bytes, a half-size channel for whatever its fixed address names, SPI by its data port.
    @Test func memoryIsMovedAsDriversAskForIt() throws {
        let ran = try Ran("transfers", seconds: 1, attach: ["imu@i2c2", "imu@spi1", "loop@spi3", "echo@isu0"])
        #expect(
            ran.texts == [
                "sent, left 0", "heard 13", "ring of bytes", "samples 60", "half of 2", "half-size", "spi status 7", "left 0", "who 105",
                "again 105", "loop wrong 0", "idle 255", "i2c left 0", "who 105", "fifo 17", "lengths 6666", "done",
            ])
        #expect(ran.core.unmodelled.isEmpty)
    }

    @Test func timersGoOnFromACount() throws {
        let ran = try Ran("timers", seconds: 1, attach: ["led@gpio49:low", "led@gpio93"])
        #expect(
            ran.texts == [
                "mcr 0", "before 5000", "paused 6650", "still 0", "resumed 8300", "anew 0", "once 1", "times 5", "gpio49 on",
                "gpio93 on", "blocked 0", "done",
            ])
        #expect(ran.core.unmodelled.isEmpty)
    }

    @Test func whatEndsDeepSleepIsKept() throws {
        let ran = try Ran("lowpower", seconds: 1, attach: ["button@gpio12:500ms/100ms"])
        #expect(
            ran.texts == ["woken by 0000000400000000", "handled 1", "woken by 0000000000000001", "handled 2", "left 0"])
        #expect(ran.has("handled 1", at: 0.01) && ran.has("handled 2", at: 0.5))
        #expect(ran.core.unmodelled.isEmpty)
    }

    @Test func messagesCrossBetweenCores() throws {
        let ran = try Ran("intercore", seconds: 3.5, attach: ["app@a7:25025d2c-66da-4448-bae1-ac26fcdd3627"])
        #expect(ran.texts[..<3] == ["open", "a7 received 19 bytes: HL-APP-TO-RT-APP-00", "hl-app-to-rt-app-00"])
        #expect(ran.has("hl-app-to-rt-app-02", at: 3) && ran.lines.count == 7)
        // Nobody answers: the ring fills, and the sender says so.
        let deaf = try Ran("tick", seconds: 150, attach: ["app@a7:25025d2c-66da-4448-bae1-ac26fcdd3627"])
        #expect(deaf.lines.first { $0.text == "a7 cannot send: full" }.map { $0.at / 1_000_000_000 } == 84)
    }

    @Test func resetsAndFaultsAreWhatSiliconDoes() throws {
        let ran = try Ran("watchdog", seconds: 3)
        #expect(
            ran.texts == [
                "status 0", "reset: watchdog", "reset: watchdog", "status 32768", "fault: data bus error", "status 16384",
                "fault: undefined instruction", "hard fault 40000000 00008200 40000010",
            ])
        #expect(ran.has("reset: watchdog", at: 0.25))
        guard case .lockedUp(let fault) = ran.end else {
            Issue.record("\(ran.end)")
            return
        }
        #expect(fault.exception == nil && fault.lr == 0xFFFF_FFF9)
    }

    /// Two tasks on stacks of their own, each with its floating-point registers, switched a thousand times a second.
    @Test func tasksKeepTheirRegisters() throws {
        let ran = try Ran("tasks", seconds: 2.05)
        #expect(ran.lines.count == 21)
        var (sum, product) = (Float(0), 1.0)
        for n in 1...20 {
            sum += 1 / Float(n)
            product *= 1.0001
            let words = ran.texts[n].split(separator: " ")
            #expect(words[2] == "\(UInt32(sum * 1_000_000))" && words[3] == "\(UInt32(product * 1_000_000))", "\(ran.texts[n])")
        }
    }

    /// Wherever a run is cut, it is the same run.
    @Test func cutsDoNotShow() throws {
        func trace(_ slice: Int64) throws -> [Int64] {
            final class Log { var times: [Int64] = [] }
            let log = Log()
            let board = Board()
            board.onSerial = { now, _, _ in log.times.append(now) }
            let core = try RealTimeCore(try Ran.program("tasks"), world: board, at: 0)
            while core.now < 450_000_000 { _ = core.run(until: min(450_000_000, core.now + slice)) }
            return log.times
        }
        let whole = try trace(1_000_000_000)
        #expect(whole.count > 80)
        #expect(try trace(777_777) == whole)
        #expect(try trace(12_345) == whole)
    }
}

@Suite struct SnapshotTests {
    private final class Log {
        var lines: [String] = []
        func take(_ now: Int64, _ event: Emulation.Event) { lines.append("\(now) \(event)") }
    }

    /// Cut at any instant and carried on elsewhere, the rest is what it would have been, to the nanosecond.
    @Test(arguments: [
        ("tasks", 250_000_000 as Int64), ("tick", 1_000_003_000), ("buses", 120_000), ("pins", 1_100_000_000), ("watchdog", 100_000_000),
    ])
    func aRestoredDeviceGoesOnBitForBit(_ program: (name: String, at: Int64)) throws {
        let elf = try Ran.program(program.name)
        let attach = ["led@gpio8", "relay@gpio0", "button@gpio12:1s/200ms,3s/1s", "imu@i2c2", "imu@spi1", "echo@isu0"]
        let end = program.at * 2 + 300_000_000
        let (whole, first, second) = (Log(), Log(), Log())
        let one = try Emulation(elf, attach: attach, sink: whole.take)
        _ = one.run(until: end)
        let cut = try Emulation(elf, attach: attach, sink: first.take)
        _ = cut.run(until: program.at)
        let file = try JSONEncoder().encode(cut.snapshot)
        let other = try Emulation(elf, try JSONDecoder().decode(Emulation.Snapshot.self, from: file), sink: second.take)
        _ = other.run(until: end)
        #expect(first.lines + second.lines == whole.lines)
        #expect(!second.lines.isEmpty)
        let (ours, theirs) = (try JSONEncoder.sorted.encode(other.snapshot), try JSONEncoder.sorted.encode(one.snapshot))
        #expect(ours == theirs)
    }

    @Test func whatIsNoSnapshotIsRefused() throws {
        let emulation = try Emulation(Ran.program("tick"), attach: []) { _, _ in }
        _ = emulation.run(until: 1_000_000)
        let text = String(decoding: try JSONEncoder.sorted.encode(emulation.snapshot), as: UTF8.self)
        let version = "\(try #require(text.firstMatch(of: /"version":\d+/)).0)"
        let counter = "\"programCounter\":\(try #require(text.firstMatch(of: /"programCounter":(\d+)/)).1),\"registers\":["
        for (old, new) in [
            (version, "\"version\":99"), ("\"address\":1048576", "\"address\":3"), (counter, counter + "1,"),
        ] {
            try #require(text.contains(old) as Bool)
            let changed = try JSONDecoder().decode(
                Emulation.Snapshot.self, from: Data(text.replacing(old, with: new, maxReplacements: 1).utf8))
            #expect(throws: CoreSnapshot.Failure.self) { try Emulation(Ran.program("tick"), changed) { _, _ in } }
        }
    }
}

extension JSONEncoder {
    fileprivate static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return encoder
    }
}
