import Formats
import Silicon

/// The chip's pins and buses as drivers in the kernel see them: who has which, and what comes in.
final class Chip {
    private let world: any World
    private let now: () -> Int64
    /// Of whatever has a file open at present; no peripheral is for two (C-3).
    private var taken: Set<String> = []
    /// What pins were told from outside; they are pulled up.
    private var inputs: [Int: Bool] = [:]
    private var driven: [Int: Bool] = [:]
    private var lines = [SerialDriver](repeating: SerialDriver(), count: 6)

    init(_ world: any World, now: @escaping () -> Int64) {
        self.world = world
        self.now = now
    }

    var time: Int64 { now() }
    var nextInput: Int64 { world.nextInput }
    /// When a UART has sent or received something by itself.
    var nextOfLines: Int64 { lines.lazy.map(\.nextEvent).min() ?? .max }

    /// Takes in what has reached the pins; true if something has.
    @discardableResult func settle() -> Bool {
        let hasMoved = nextOfLines <= now()
        if hasMoved { moveLines(to: now()) }
        guard world.nextInput <= now() else { return hasMoved }
        for input in world.takeInputs(until: now()) {
            switch input {
            case .pin(let pin, let isHigh): inputs[pin] = isHigh
            case .serial(.isu(let unit), let bytes): lines[unit].arrive(bytes, at: now())
            case .wired(.isu(let unit), let byte, _): lines[unit].accept(byte)
            case .serial, .wired: break
            }
        }
        for unit in lines.indices {
            lines[unit].advance(to: now())
            // A line to which nobody listens loses nothing that somebody misses.
            if taken.contains("ISU \(unit)"), lines[unit].takeLoss() {
                world.noted("bytes came while 4 KiB were waiting to be read, and are lost", at: .isu(unit), at: now())
            }
        }
        return true
    }

    private func moveLines(to instant: Int64) {
        for unit in lines.indices {
            send(lines[unit].sent(by: instant), unit)
            lines[unit].advance(to: instant)
        }
    }

    private func send(_ bytes: [(byte: UInt8, at: Int64)], _ unit: Int) {
        for (byte, at) in bytes { world.transmitted(byte, on: .isu(unit), taking: lines[unit].byteNanoseconds, at: at) }
    }

    /// Whether a peripheral is switched off.
    var isOff: (String) -> Bool = { _ in false }

    func take(_ name: String) throws(Errno) { if !taken.insert(name).inserted { throw .EBUSY } }
    func giveBack(_ name: String) { taken.remove(name) }

    func level(of pin: Int) -> Bool {
        settle()
        return driven[pin] ?? inputs[pin] ?? true
    }

    func drive(_ pin: Int, _ isHigh: Bool) {
        driven[pin] = isHigh
        world.output(pin: pin, isHigh: isHigh, at: now())
    }

    func release(_ pin: Int) { driven[pin] = nil }

    func sample(_ channel: Int) -> UInt32 { world.analogInput(channel: channel, at: now()) }
    func pulse(_ controller: Int, _ channel: Int, duty: Double) {
        if isOff("PWM \(controller)") { return }
        world.pulseWidth(controller: controller, channel: channel, duty: duty, at: now())
    }

    func i2c(_ bus: Int, _ address: UInt8, writing bytes: [UInt8], reading count: Int) throws(Errno) -> [UInt8] {
        guard !isOff("ISU \(bus)"), let answer = world.i2c(bus: bus, address: address, writing: bytes, reading: count, at: now()) else {
            throw .ENXIO
        }
        return answer
    }

    func spi(_ bus: Int, _ select: Int, sending bytes: [UInt8], receiving count: Int, bothWays: Bool) -> [UInt8] {
        guard !isOff("ISU \(bus)") else { return [UInt8](repeating: 0xFF, count: count) }
        return world.spi(bus: bus, select: select, sending: bytes, receiving: count, bothWays: bothWays, at: now())
    }

    /// How many were taken: the rest has no room before some have gone.
    func transmit(_ bytes: [UInt8], _ unit: Int) -> Int {
        guard !isOff("ISU \(unit)") else { return bytes.count }
        settle()
        let count = min(bytes.count, lines[unit].room)
        lines[unit].write(bytes.prefix(count), at: now())
        return count
    }

    func canTransmit(_ unit: Int) -> Bool {
        settle()
        return lines[unit].room > 0
    }

    /// The last file is closed: what was written still goes, at its instants.
    func drain(_ unit: Int) { send(lines[unit].sent(by: .max), unit) }

    func setByte(_ nanoseconds: Int64, _ unit: Int) { lines[unit].byteNanoseconds = nanoseconds }

    func hasReceived(_ unit: Int) -> Bool {
        settle()
        return !lines[unit].received.isEmpty
    }

    func receive(_ count: Int, _ unit: Int) -> [UInt8] {
        settle()
        return lines[unit].take(count)
    }
}

/// A peripheral that one program has to itself while the file is open.
class PeripheralFile: OpenFile {
    let chip: Chip
    private let place: String

    init(_ chip: Chip, _ place: String) throws(Errno) {
        try chip.take(place)
        self.chip = chip
        self.place = place
        super.init(flags: OpenFile.readWrite)
    }

    override var mode: UInt32 { 0o020600 }
    override var readiness: Readiness { [.output] }
    override func closed() { chip.giveBack(place) }
}

extension Kernel {
    /// Device nodes for what the chip has; the manifest says who may open which.
    func addDevices(_ chip: Chip) {
        func add(_ path: String, _ open: @escaping (Process) throws(Errno) -> OpenFile) {
            tree.place(.device(open), at: path, mode: 0o666)
        }
        chip.isOff = { [unowned self] in system.switchedOff.contains($0) }
        add("/dev/peripherals") { [unowned self] _ throws(Errno) in SwitchFile(self) }
        add("/dev/gpiochip0") { _ throws(Errno) in PinController(chip) }
        for number in 0..<5 {
            add("/dev/i2c-\(number)") { process throws(Errno) in
                try process.mustHave("I2cMaster", "ISU\(number)")
                return try I2CFile(chip, number)
            }
            add("/dev/ttyS\(number)") { process throws(Errno) in
                try process.mustHave("Uart", "ISU\(number)")
                return try SerialFile(chip, number)
            }
            for select in 0..<2 {
                add("/dev/spidev\(number).\(select)") { process throws(Errno) in
                    try process.mustHave("SpiMaster", "ISU\(number)")
                    return try SPIFile(chip, number, select)
                }
            }
        }
        for number in 0..<3 {
            add("/dev/pwm\(number)") { process throws(Errno) in
                try process.mustHave("Pwm", "PWM-CONTROLLER-\(number)")
                return try PulseFile(chip, number)
            }
        }
        add("/dev/adc0") { process throws(Errno) in
            try process.mustHave("Adc", "ADC-CONTROLLER-0")
            return try AnalogFile(chip)
        }
    }
}

extension Process {
    /// EACCES for what the manifest does not list.
    func mustHave(_ capability: String, _ name: String) throws(Errno) {
        if let grants = policy.grants, !grants.has(capability, name) { throw .EACCES }
    }

    func mustHave(_ flag: String) throws(Errno) { if let grants = policy.grants, !grants.flags.contains(flag) { throw .EACCES } }
}
