import Formats

extension Chip {
    /// Arm's MPS2 board with the image of application note AN386: a Cortex-M4F with the blocks of Arm's design kit. Addresses and
    /// interrupts are those of ARM DAI 0386; what differs between silicon and `qemu-system-arm -M mps2-an386` (priority bits,
    /// CPUID, a reference for SysTick) is as it is there. I2C, I2S, Ethernet and VGA read as zeros.
    public static let mps2AN386 = Chip(
        "mps2-an386",
        core: .init(
            clockHertz: mps2Clock, referenceHertz: 1_000_000, interrupts: 32, sharedInterrupts: [11, 12, 23], priorityBits: 8,
            identification: 0x410F_C240, vectors: 0),
        memory: [
            .init("ssram1", base: 0x0000_0000, size: 4 << 20, access: .readWriteExecute),
            .init("block-ram", base: 0x0100_0000, size: 16 << 10, access: .readWriteExecute),
            .init("ssram2-3", base: 0x2000_0000, size: 4 << 20, access: .readWriteExecute),
            .init("psram", base: 0x2100_0000, size: 16 << 20, access: .readWriteExecute),
        ],
        windows: [.init(base: 0x4000_0000, size: 0x21_0000)],
        blocks: [
            .init(CMSDKTimer.self, "timer0", base: 0x4000_0000, size: 0x1000, interrupts: ["irq": 8], clock: mps2Clock),
            .init(CMSDKTimer.self, "timer1", base: 0x4000_1000, size: 0x1000, interrupts: ["irq": 9], clock: mps2Clock),
            .init(CMSDKDualTimer.self, "dualtimer", base: 0x4000_2000, size: 0x1000, interrupts: ["combined": 10], clock: mps2Clock),
            .init(CMSDKWatchdog.self, "watchdog", base: 0x4000_8000, size: 0x1000, interrupts: ["warning": .nonMaskable], clock: mps2Clock),
            mps2UART(0, 0x4000_4000, 0, overrun: 12), mps2UART(1, 0x4000_5000, 2, overrun: 12), mps2UART(2, 0x4000_6000, 4, overrun: 12),
            mps2UART(3, 0x4000_7000, 18, overrun: nil), mps2UART(4, 0x4000_9000, 20, overrun: nil),
            .init(
                CMSDKGPIO.self, "gpio0", base: 0x4001_0000, size: 0x1000,
                interrupts: [
                    "combined": 6, "pin0": 24, "pin1": 25, "pin2": 26, "pin3": 27, "pin4": 28, "pin5": 29, "pin6": 30, "pin7": 31,
                ], pins: Array(0..<16)),
            .init(CMSDKGPIO.self, "gpio1", base: 0x4001_1000, size: 0x1000, interrupts: ["combined": 7], pins: Array(16..<32)),
            .init(CMSDKGPIO.self, "gpio2", base: 0x4001_2000, size: 0x1000, interrupts: ["combined": 16], pins: Array(32..<48)),
            .init(CMSDKGPIO.self, "gpio3", base: 0x4001_3000, size: 0x1000, interrupts: ["combined": 17], pins: Array(48..<52)),
            .init(PL022.self, "spi0", base: 0x4002_0000, size: 0x1000, interrupts: ["combined": 11], clock: mps2Clock, unit: 0),
            .init(PL022.self, "spi1", base: 0x4002_1000, size: 0x1000, interrupts: ["combined": 11], clock: mps2Clock, unit: 1),
            .init(PL022.self, "spi2", base: 0x4002_5000, size: 0x1000, interrupts: ["combined": 22], clock: mps2Clock, unit: 2),
            .init(PL022.self, "spi3", base: 0x4002_6000, size: 0x1000, interrupts: ["combined": 23], clock: mps2Clock, unit: 3),
            .init(PL022.self, "spi4", base: 0x4002_7000, size: 0x1000, interrupts: ["combined": 23], clock: mps2Clock, unit: 4),
            .init(MPS2InputOutput.self, "fpgaio", base: 0x4002_8000, size: 0x1000, clock: mps2Clock, pins: [64, 65]),
            .init(
                MPS2Configuration.self, "scc", base: 0x4002_F000, size: 0x1000,
                settings: [
                    "id": 0x4104_3860, "aid": 0x0020_0008, "cfg4": 2, "oscillator-0": 50_000_000, "oscillator-1": 24_576_000,
                    "oscillator-2": 25_000_000,
                ]),
        ],
        console: "uart0")

    private static let mps2Clock: Int64 = 25_000_000

    private static func mps2UART(_ unit: Int, _ base: UInt32, _ receiving: Int, overrun: Int?) -> PlacedBlock {
        var block = PlacedBlock(
            CMSDKSerialPort.self, "uart\(unit)", base: base, size: 0x1000,
            interrupts: ["tx": .interrupt(receiving + 1), "rx": .interrupt(receiving)], clock: mps2Clock, unit: unit)
        if let overrun {
            block.block.interrupts += [.init("tx-overrun", .interrupt(overrun)), .init("rx-overrun", .interrupt(overrun))]
        }
        return block
    }
}
