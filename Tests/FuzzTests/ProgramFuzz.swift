import Emulator
import Formats
import Silicon
import Testing
import Wire

@testable import Kernel

/// What a program may do to its kernel.
@Suite struct ProgramFuzz {
    private static let code: UInt32 = 0x1_0000
    private static let data: UInt32 = 0x2_0000
    private static let dataBytes = 0x8000
    private static let texts: UInt32 = data + 0x6000
    private static let paths = [
        "/tmp/a", "/tmp/d", "/", ".", "..", "/dev/null", "/dev/zero", "/dev/urandom", "/proc/self/mem", "/proc/self/status", "/proc/fdt",
        "/dev/gpiochip0", "/dev/i2c-2", "/dev/spidev1.0", "/dev/ttyS0", "/dev/pwm2", "/dev/adc0", "/dev/services", "/dev/peripherals",
        "/dev/pluton", "/dev/security-monitor", "/bin/fuzz", "/mnt/config/mutable", "/proc/self", "",
    ]

    /// A static program in two segments: its code, and data that it may write.
    static func program(code words: [UInt32], data bytes: [UInt8]) -> [UInt8] {
        let head: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
        func header(_ offset: Int, _ address: UInt32, _ count: Int, _ flags: UInt32) -> [UInt8] {
            ([1, UInt32(offset), address, address, UInt32(count), UInt32(count), flags, 0x1000] as [UInt32]).littleEndianBytes
        }
        let codeBytes = words.littleEndianBytes
        let start = 52 + 64
        var file = head + UInt16(2).littleEndianBytes + UInt16(40).littleEndianBytes
        file += ([1, code, 52, 0, 0x0500_0000] as [UInt32]).littleEndianBytes
        for half in [52, 32, 2, 40, 0, 0] as [UInt16] { file += half.littleEndianBytes }
        file += header(start, code, codeBytes.count, 5) + header(start + codeBytes.count, data, bytes.count, 6)
        return file + codeBytes + bytes
    }

    /// r8 goes over a table of calls, eight words each: `ldm r8!, {r0-r7}; svc 0; b` back.
    private static func program(calls: [[UInt32]], _ fuzz: inout Fuzz) -> [UInt8] {
        var bytes = calls.flatMap { $0 }.littleEndianBytes
        bytes += fuzz.draws.bytes(0x6000 - bytes.count)
        for path in paths { bytes += Array(path.utf8) + [UInt8](repeating: 0, count: 32 - path.utf8.count) }
        bytes += [UInt8](repeating: 0, count: dataBytes - bytes.count)
        // mov r8, #0x20000; ldm r8!, {r0-r7}; svc 0; b -12
        return program(code: [0xE3A0_8802, 0xE8B8_00FF, 0xEF00_0000, 0xEAFF_FFFC], data: bytes)
    }

    private static func argument(_ fuzz: inout Fuzz) -> UInt32 {
        switch fuzz.below(8) {
        case 0, 1: fuzz.one(of: Fuzz.extremes)
        case 2: UInt32(fuzz.below(12))
        case 3: data + UInt32(fuzz.below(dataBytes))
        case 4: data + UInt32(fuzz.below(dataBytes / 16)) * 16
        case 5: texts + UInt32(fuzz.below(paths.count)) * 32
        case 6: fuzz.one(of: [0x1000_0000, 0x3000_0000, 0xB5FF_F000, 0x2_7000, 0x2_7FFC, 0xBEFF_F000, 0x1_0000])
        default: fuzz.word()
        }
    }

    /// ioctls that a file may know.
    private static let requests: [UInt32] = [
        0x5421, 0x5451, 0x0702, 0x0703, 0x07F0, 0x0707, 0x4001_6B01, 0x4020_6B00, 0x4200_6B00, 0x4008_5501, 0xC16C_B403, 0x8044_B401,
        0xC040_B408, 0xC040_B409, 0x4014_5001, 0xC014_69D4, 0xC014_69D6, 0xC014_69D7, 0xC00C_7101, 0xC014_7001, 0xC014_7002, 0xC014_6F01,
        0xC00C_7301, 0xC00C_7302, 0xC00C_7303,
    ]

    private static func call(_ numbers: [UInt32], _ fuzz: inout Fuzz) -> [UInt32] {
        var words = (0..<7).map { _ in argument(&fuzz) }
        // Half of them get far enough to do something: files are opened, memory is mapped, devices are asked.
        switch fuzz.below(8) {
        case 0:
            words[0] = texts + UInt32(fuzz.below(paths.count)) * 32
            words[1] = fuzz.one(of: [0, 1, 2, 0o102, 0o1102, 0o2102, 0o4000])
            return words + [5]
        case 1:
            words[0] = UInt32(fuzz.below(8))
            words[1] = fuzz.one(of: requests)
            return words + [54]
        case 2:
            words[0] = fuzz.one(of: [0, 0x1000_0000, fuzz.word() & ~0xFFF])
            words[2] = UInt32(fuzz.below(8))
            words[3] = fuzz.one(of: [0x22, 0x32, 0x2])
            return words + [fuzz.one(of: [192, 163, 45, 125, 91])]
        case 3:
            words[0] = UInt32(fuzz.below(8))
            return words + [fuzz.one(of: [3, 4, 19, 140, 180, 181, 145, 146, 93, 194, 239, 55])]
        case 4:
            words[0] = fuzz.one(of: [1, 2, 43])
            words[1] = fuzz.one(of: [1, 2, 0x801])
            return words + [fuzz.one(of: [281, 288])]
        default: return words + [fuzz.isOne(in: 30) ? fuzz.word() : fuzz.one(of: numbers)]
        }
    }

    private static func start(_ bytes: [UInt8], _ weaknesses: Set<Weakness>) throws -> ProgramEmulation {
        try ProgramEmulation(
            bytes, name: "fuzz", arguments: ["a"], attach: ["led@gpio8", "thermistor@adc0:30", "imu@i2c2", "imu@spi1", "echo@isu0"],
            epoch: 1_767_225_600_000_000_000, weaknesses: weaknesses,
            random: { [UInt8](repeating: 7, count: $0) }, sink: { _, _ in })
    }

    /// All system calls with arguments right, extreme and absurd, in an order that makes sense and in none.
    @Test func calls() throws {
        // Ends, endless waits, kills and returns from no signal would be the end of most programs.
        let numbers = CallTable.entries.keys.filter { ![1, 29, 37, 119, 173, 179, 238, 248, 268, 11].contains($0) }.sorted()
        try Fuzz.run("calls") { fuzz in
            var calls = (0..<300).map { _ in ProgramFuzz.call(numbers, &fuzz) }
            if fuzz.isOne(in: 10) { calls.insert(ProgramFuzz.call([11, 179, 29, 1, 37, 119, 173, 238, 268], &fuzz), at: fuzz.below(300)) }
            calls.append([0, 0, 0, 0, 0, 0, 0, 248])
            let bytes = fuzz.keep(ProgramFuzz.program(calls: calls, &fuzz))
            let weaknesses = Set(fuzz.isOne(in: 2) ? Weakness.allCases : [])
            let begun = ContinuousClock.now
            _ = try ProgramFuzz.start(bytes, weaknesses).run(
                until: 20_000_000_000, input: { [1, 2, 3] }, isStopped: { ContinuousClock.now - begun > .seconds(2) })
        }
    }

    /// What issue 14 came with, and others of its kind: each alone, as its own program.
    @Test(
        arguments: [
            [[0, 0xFFFF_FFFB, 0, 0, 0, 0, 0, 57], [0, 0, 0, 0, 0, 0, 0, 65], [0, 0, 0, 0, 0, 0, 0, 132]],
            [[0x8000_0000, 0, 0, 0, 0, 0, 0, 114]], [[0x8000_0000, 9, 0, 0, 0, 0, 0, 37]],
            [[0x1_0000, 0x1000, 0xFFFF_EFFF, 1, 0, 0, 0, 163]], [[0xB5FF_FFFF, 0, 0, 0, 0, 0, 0, 45]],
        ] as [[[UInt32]]]) func absurdNumbersAreRefused(calls: [[UInt32]]) throws
    {
        var fuzz = Fuzz.still
        let bytes = ProgramFuzz.program(calls: calls + [[7, 0, 0, 0, 0, 0, 0, 248]], &fuzz)
        #expect(try ProgramFuzz.start(bytes, []).run(until: 1_000_000_000) == .exited(7))
    }

    /// A timer of a nanosecond: time goes on for everybody else.
    @Test func aTimerThatIsAlwaysDueLeavesTimeToRun() throws {
        var fuzz = Fuzz.still
        let at = ProgramFuzz.data + 0x5000
        var calls: [[UInt32]] = [
            // timer_create with SIGEV_NONE, its number to where timer_settime does not look; then an interval of 1 ns.
            [1, at, at + 0x40, 0, 0, 0, 0, 257], [0, 0, at + 0x20, 0, 0, 0, 0, 258], [at + 0x60, 0, 0, 0, 0, 0, 0, 162],
            [7, 0, 0, 0, 0, 0, 0, 248],
        ]
        calls += [[UInt32]](repeating: [UInt32](repeating: 0, count: 8), count: (0x5000 - calls.count * 32) / 32)
        let event: [UInt32] = [0, 0, 1, 0, 0, 0, 0, 0]
        let time: [UInt32] = [0, 1, 0, 1, 0, 0, 0, 0]
        calls += [event, time, [0, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]]
        let bytes = ProgramFuzz.program(calls: calls, &fuzz)
        let begun = ContinuousClock.now
        #expect(try ProgramFuzz.start(bytes, []).run(until: 2_000_000_000) == .exited(7))
        #expect(ContinuousClock.now - begun < .seconds(20))
    }

    /// Programs as files: what the loader takes, it can also run.
    @Test func programs() throws {
        var fuzz = Fuzz.still
        let samples = [
            ProgramFuzz.program(calls: [[0, 0, 0, 0, 0, 0, 0, 20], [0, 0, 0, 0, 0, 0, 0, 248]], &fuzz),
            ProgramFuzz.program(code: [0xE3A0_7001, 0xEF00_0000], data: [1, 2, 3, 4]),
        ]
        try Fuzz.run("elf") { fuzz in
            // Most changes are to the headers: the rest is only content.
            var bytes = fuzz.one(of: samples)
            let head = fuzz.mutated([Array(bytes[..<116])])
            bytes.replaceSubrange(0..<min(116, head.count), with: head.prefix(116))
            fuzz.keep(bytes)
            if let image = try? ELFImage(bytes, mayMove: true) {
                _ = (image.stripped, image.flat(from: 0), image.flat(from: 0x10_0000), image.fileOffset(of: image.entry))
                _ = ELFSymbols(bytes).name(of: image.entry)
            }
            let begun = ContinuousClock.now
            _ = try? ProgramFuzz.start(bytes, []).run(until: 1_000_000, isStopped: { ContinuousClock.now - begun > .seconds(2) })
        }
    }
}

extension Fuzz {
    /// For what needs no draws of a run.
    static var still: Fuzz { Fuzz(border: "still") }
}
