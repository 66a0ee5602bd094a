import Formats

extension Chip {
    /// One real-time core of the MT3620 with what it sees of the chip (mt3620-silicon §1.1, §2.1). Things that are due at one
    /// instant happen in the order of the blocks.
    public static let mt3620 = Chip(
        "mt3620",
        core: .init(clockHertz: CoreClock.crystalHertz, interrupts: 100, priorityBits: 3),
        memory: [
            .init("tcm", base: 0x0010_0000, size: 192 << 10, access: .readWriteExecute),
            .init("sysram", base: 0x2200_0000, size: 64 << 10, access: .readWriteExecute, isReachedByDMA: true),
            // Two buffers in the A7's RAM (mt3620-silicon §4.1).
            .init(
                "inter-core-buffers", base: InterCoreLink.buffers, size: 0x2000, access: .readWrite, isReachedByDMA: true),
            .init("flash", base: 0x1000_0000, size: 1 << 20, access: .readExecute, showsFile: true),
        ],
        windows: [
            .init(base: 0x0000_0000, size: 0x1_0000), .init(base: 0x2100_0000, size: 0x9_0000),
            .init(base: 0x3000_0000, size: 0x4_0000, isGuarded: true), .init(base: 0x3009_0000, size: 0x1_0000, isGuarded: true),
            .init(base: 0x3106_0000, size: 0x1_0000, isGuarded: true), .init(base: 0x3800_0000, size: 0x11_0000, isGuarded: true),
        ],
        blocks: mt3620Own + mt3620Pins + mt3620Units,
        console: "debug")

    /// The core's own.
    private static let mt3620Own: [PlacedBlock] = [
        // The first-jump ROM reads as zeros, and code that goes through null pointers must get on.
        .init(Constant.self, "first-jump-rom", base: 0x0000_0000, size: 0x1_0000, settings: ["value": 0]),
        .init(
            ExternalInterrupts.self, "cirq", base: 0x2100_0000, size: 0x1_0000, pins: Array(0...23),
            settings: ["first-line": 20, "sensed-line": 2]),
        .init(ClockControl.self, "rgu", base: 0x2101_0000, size: 0x1_0000),
        .init(
            Mailbox.self, "mailbox-a7", base: 0x2105_0000, size: 0x1_0000, interrupts: mailboxLines(6), settings: ["partner": 0]),
        .init(
            Mailbox.self, "mailbox-m4", base: 0x2106_0000, size: 0x1_0000, interrupts: mailboxLines(12), settings: ["partner": 1]),
        .init(
            GeneralPurposeTimers.self, "gpt", base: 0x2103_0000, size: 0x1_0000, interrupts: ["countdown": 1, "alarm": 2],
            clock: CoreClock.crystalHertz),
        .init(Watchdog.self, "wdt", base: 0x2102_0000, size: 0x1_0000, interrupts: ["expired": 3]),
        // Pin mux, clock gates, and how the A7 sees the interrupts of pins.
        .init(Storage.self, "pin-mux", base: 0x3001_0000, size: 0x1_0000),
        .init(Storage.self, "topcfg", base: 0x3003_0000, size: 0x1_0000),
        .init(Storage.self, "a7-interrupts", base: 0x3106_0000, size: 0x1_0000),
        // The strap that says which crystal there is: 26 MHz.
        .init(Constant.self, "crystal-strap", base: 0x3009_0190, size: 4, settings: ["value": 2]),
        .init(
            AnalogDigitalConverter.self, "adc", base: 0x3800_0000, size: 0x1_0000, parts: [0: 4, 0x100: 0xFF00],
            interrupts: ["ready": 70], receives: [29]),
    ]

    private static func mailboxLines(_ first: Int) -> KeyValuePairs<String, ChipDescription.InterruptLine> {
        [
            "reading": .interrupt(first), "not-full": .interrupt(first + 1), "writing": .interrupt(first + 2),
            "not-empty": .interrupt(first + 3), "software": .interrupt(first + 5),
        ]
    }

    /// GPIO groups 0–5, ISU 0–5, ADC, I2S 0 and 1, and those beside the A7.
    private static let mt3620Pins: [PlacedBlock] =
        (0..<6).map { group in
            let pins = Array(4 * group..<4 * group + 4)
            return .init(PinBlock.self, "gpio-\(group)", base: groupBase(group), size: 0x100, parts: [4: 0xFC], pins: pins)
        }
        + (0..<6).map { unit in
            let first = [26, 31, 36, 66, 71, 76][unit]
            return .init(
                PinBlock.self, "gpio-isu\(unit)", base: unitBase(unit), size: 0x100, parts: [4: 0xFC], pins: Array(first..<first + 5),
                settings: ["input": 0x0C])
        } + [
            .init(PinBlock.self, "gpio-adc", base: 0x3800_0000, size: 0x100, parts: [4: 0xFC], pins: Array(41..<49)),
            .init(PinBlock.self, "gpio-i2s0", base: 0x380D_0100, size: 0x100, pins: Array(56..<61), settings: ["input": 0]),
            .init(PinBlock.self, "gpio-i2s1", base: 0x380E_0100, size: 0x100, pins: Array(61..<66), settings: ["input": 0]),
            .init(
                PinBlock.self, "gpio-a7", base: 0x3002_0000, size: 0x1_0000, pins: [24, 25] + Array(49...55) + Array(81...93),
                settings: ["input": 0, "is-compact": 1]),
        ]

    private static func groupBase(_ group: Int) -> UInt32 { 0x3801_0000 + UInt32(group) << 16 }
    private static func unitBase(_ unit: Int) -> UInt32 { 0x3807_0000 + UInt32(unit) << 16 }
    private static func audioBase(_ unit: Int) -> UInt32 { 0x380D_0000 + UInt32(unit) << 16 }

    /// What there is several times.
    private static let mt3620Units: [PlacedBlock] =
        [.init(SerialPort.self, "debug", base: 0x2104_0000, size: 0x100, interrupts: ["uart": 4], unit: 6)]
        + (0..<6).map { unit in
            .init(
                SerialPort.self, "isu\(unit)-uart", base: unitBase(unit) + 0x500, size: 0x100,
                interrupts: ["uart": .interrupt(47 + 4 * unit)], unit: unit, sends: [2 * unit, 13 + 2 * unit],
                receives: [2 * unit + 1, 14 + 2 * unit])
        }
        + (0..<6).map { unit in
            .init(
                I2CController.self, "isu\(unit)-i2c", base: unitBase(unit) + 0x200, size: 0x100,
                interrupts: ["i2c": .interrupt(44 + 4 * unit)], clock: CoreClock.crystalHertz, unit: unit, sends: [2 * unit],
                receives: [2 * unit + 1])
        }
        + (0..<6).map { unit in
            .init(
                SPIController.self, "isu\(unit)-spi", base: unitBase(unit) + 0x300, size: 0x100,
                interrupts: ["spi": .interrupt(45 + 4 * unit)], unit: unit, sends: [2 * unit], receives: [2 * unit + 1])
        }
        + (0..<2).map { unit in
            .init(
                AudioInterface.self, "i2s\(unit)", base: audioBase(unit), size: 0x1_0000, parts: [0: 0x100, 0x200: 0xFE00],
                interrupts: ["i2s": .interrupt(68 + unit)], unit: unit, sends: [25 + 2 * unit], receives: [26 + 2 * unit])
        }
        + (0..<3).map { unit in
            .init(PulseWidthModulator.self, "pwm\(unit)", base: groupBase(unit) + 0x1000, size: 0xF000, unit: unit)
        }
        + (0..<6).map { group in
            .init(
                PinCounter.self, "counter-\(group)", base: groupBase(group), size: 0x1_0000,
                parts: group < 3 ? [0: 4, 0x100: 0xF00] : [0: 4, 0x100: 0xFF00], interrupts: ["counter": .interrupt(71 + group)],
                pins: Array(4 * group..<4 * group + 4))
        }
        + (0..<6).map { unit in .init(Storage.self, "isu\(unit)-control", base: unitBase(unit), size: 4) }
        + [.init(DirectMemoryAccess.self, "dma", base: 0x2108_0000, size: 0x1_0000, interrupts: ["dma": 77])]
}
