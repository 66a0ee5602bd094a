import Formats

/// /dev/peripherals: switches the chip's peripherals off and on, each by who has it.
final class SwitchFile: OpenFile {
    private unowned let kernel: Kernel
    init(_ kernel: Kernel) {
        self.kernel = kernel
        super.init(flags: OpenFile.readWrite)
    }
    override var mode: UInt32 { 0o020666 }

    /// Kind (0 ISU as UART, 1 ISU as I2C, 2 ISU as SPI, 3 PWM, 4 ADC), number, and whether it is to be on.
    private static let request: UInt32 = 0xC00C_7101
    private static let kinds = [
        ("Uart", "ISU", "ISU "), ("I2cMaster", "ISU", "ISU "), ("SpiMaster", "ISU", "ISU "), ("Pwm", "PWM-CONTROLLER-", "PWM "),
        ("Adc", "ADC-CONTROLLER-", "ADC"),
    ]

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        guard request == SwitchFile.request else { throw .ENOTTY }
        let fields = try process.memory.fields(argument, 12)
        guard let kind = fields.u32(0), kind < UInt32(SwitchFile.kinds.count), let number = fields.u32(4), number < 8 else { throw .ENODEV }
        let (capability, word, place) = SwitchFile.kinds[Int(kind)]
        if !process.policy.weaknesses.contains(.peripheralSwitch) { try process.mustHave(capability, "\(word)\(number)") }
        let name = kind == 4 ? place : "\(place)\(number)"
        if fields.u32(8) != 0 { kernel.system.switchedOff.remove(name) } else { kernel.system.switchedOff.insert(name) }
        return 0
    }
}

/// /proc/fdt: the device tree that the boot loader has handed over, for root alone.
final class TreeBlobFile: OpenFile {
    private static let blob: [UInt8] = {
        // Magic and total size (Devicetree Specification, 5.2), and nothing that anybody reads.
        var bytes = [UInt8](repeating: 0, count: 1024)
        bytes.replaceSubrange(0..<8, with: [0xD0, 0x0D, 0xFE, 0xED, 0, 0, 4, 0])
        return bytes
    }()
    /// What lies behind it in the kernel's memory.
    private let behind: [UInt8]
    private let mapsAll: Bool

    init(behind: [UInt8], mapsAll: Bool) {
        (self.behind, self.mapsAll) = (behind, mapsAll)
        super.init(flags: 0)
    }
    override var mode: UInt32 { 0o100400 }
    override var isMappable: Bool { true }

    override func read(_ count: Int) throws(Errno) -> [UInt8]? { Array(TreeBlobFile.blob.prefix(count)) }
    override func read(_ count: Int, at offset: Int) throws(Errno) -> [UInt8] {
        let all = mapsAll ? TreeBlobFile.blob + behind : TreeBlobFile.blob
        return Array(all.dropFirst(offset).prefix(count))
    }
}

extension Kernel {
    /// Ways to what only the OS's own services should reach.
    func addGuardedDevices() {
        tree.place(
            .device { [unowned self] process throws(Errno) in
                let isOpenToAll = process.policy.weaknesses.contains(.plutonOverflow)
                if let grants = process.policy.grants, grants.tenant == nil, !isOpenToAll { throw .EACCES }
                guard pluton != nil else { throw .ENODEV }
                return PlutonFile(self)
            }, at: "/dev/pluton", mode: 0o666)
        tree.place(
            .device { [unowned self] process throws(Errno) in
                guard process.monitorRights != 0 else { throw .EACCES }
                return MonitorFile(self)
            }, at: "/dev/security-monitor", mode: 0o666)
        tree.place(
            .device { process throws(Errno) in
                let address = UInt32(0xC000_0000).littleEndianBytes
                return TreeBlobFile(
                    behind: (0..<768).flatMap { _ in address }, mapsAll: process.policy.weaknesses.contains(.treeMapping))
            }, at: "/proc/fdt", mode: 0o400)
    }

    /// Device nodes that an image has brought along, where the OS still makes them.
    func placeImageDevices(_ devices: [String: ImageDevice], under folder: String) throws(Errno) {
        guard let chip else { return }
        for (path, device) in devices.sorted(by: { $0.key < $1.key }) {
            tree.place(
                .device { _ throws(Errno) in
                    switch (device.major, device.minor) {
                    case (4, 64...68): try SerialFile(chip, Int(device.minor) - 64)
                    case (89, 0...4): try I2CFile(chip, Int(device.minor))
                    default: throw .ENXIO
                    }
                }, at: "\(folder)/\(path)", mode: 0o666)
        }
    }
}
