import Formats

/// The blocks of one real-time core at their addresses (mt3620-silicon §1.1), their interrupt lines, and the DMA between
/// them and memory. A register that is not modelled reads 0, ignores writes, and is told of.
struct Peripherals: Codable {
    /// What a mailbox message of the A7 does to a core that listens, for whoever sits at the other end.
    private(set) var mailboxes = [Mailbox(), Mailbox()]
    private var interrupts = ExternalInterrupts()
    private var clocks = ClockControl()
    private(set) var watchdog = Watchdog()
    private(set) var timers = GeneralPurposeTimers()
    /// The debug UART, then ISU 0…5.
    private var serial = [SerialPort(.debug)] + (0..<6).map { SerialPort(.isu($0)) }
    private var i2c = (0..<6).map { I2CController(bus: $0) }
    private var spi = (0..<6).map { SPIController(bus: $0) }
    private var adc = AnalogDigitalConverter()
    private var pwm = (0..<3).map { PulseWidthModulator(controller: $0) }
    private var audio = (0..<2).map { AudioInterface(unit: $0) }
    private var counters = (0..<6).map { _ in PinCounter() }
    private var dma = DirectMemoryAccess()
    /// Groups 0–5, ISU 0–5, ADC, I2S 0 and 1.
    private var pins: [PinBlock]
    /// Those of the block beside the A7.
    private var closePins = PinBlock([24, 25] + Array(49...55) + Array(81...93), input: 0x00, layout: .compact)
    /// Registers that keep what is written, by their whole address.
    private var storage = RegisterFile()

    init() {
        pins = (0..<6).map { PinBlock(4 * $0..<4 * $0 + 4) }
        pins += [26, 31, 36, 66, 71, 76].map { PinBlock($0..<$0 + 5, input: 0x0C) }
        pins += [PinBlock(41..<49), PinBlock(56..<61, input: 0), PinBlock(61..<66, input: 0)]
    }

    /// Where one access goes.
    private enum Place {
        case nothing, mailbox(Int), interrupts, clocks, watchdog, timers, serial(Int), i2c(Int), spi(Int), adc, pwm(Int), dma
        case audio(Int), counter(Int), fixed(UInt32)
        case pins(Int), closePins, storage, unknown
    }

    private func place(_ address: UInt32) -> (place: Place, offset: UInt32) {
        let offset = address & 0xFFFF
        let page = Int(address >> 16)
        switch page {
        // The first-jump ROM reads as zeros, and code that goes through null pointers must get on.
        case 0x0000: return (.nothing, offset)
        case 0x2100: return (.interrupts, offset)
        case 0x2101: return (.clocks, offset)
        case 0x2102: return (.watchdog, offset)
        case 0x2103: return (.timers, offset)
        case 0x2104 where offset < 0x100: return (.serial(0), offset)
        case 0x2105, 0x2106: return (.mailbox(page - 0x2105), offset)
        case 0x2108: return (.dma, offset)
        // Pin mux, clock gates, and how the A7 sees the interrupts of pins.
        case 0x3001, 0x3003, 0x3106: return (.storage, offset)
        // The strap that says which crystal there is: 26 MHz.
        case 0x3009 where offset == 0x190: return (.fixed(2), offset)
        case 0x3002: return (.closePins, offset)
        case 0x3800: return offset < 0x100 && offset > 0 ? (.pins(12), offset) : (.adc, offset)
        case 0x3801...0x3806:
            let group = page - 0x3801
            if group < 3, offset >= 0x1000 { return (.pwm(group), offset - 0x1000) }
            return offset < 0x100 && offset > 0 ? (.pins(group), offset) : (.counter(group), offset)
        case 0x3807...0x380C:
            let unit = page - 0x3807
            switch offset {
            case 0x000: return (.storage, offset)
            case 0x004..<0x100: return (.pins(6 + unit), offset)
            case 0x200..<0x300: return (.i2c(unit), offset - 0x200)
            case 0x300..<0x400: return (.spi(unit), offset - 0x300)
            case 0x500..<0x600: return (.serial(1 + unit), offset - 0x500)
            default: return (.unknown, offset)
            }
        case 0x380D, 0x380E:
            let unit = page - 0x380D
            return offset >= 0x100 && offset < 0x200 ? (.pins(13 + unit), offset - 0x100) : (.audio(unit), offset)
        default: return (.unknown, offset)
        }
    }

    mutating func read(_ address: UInt32, _ bus: Bus) -> UInt32 {
        let (place, offset) = place(address)
        switch place {
        case .nothing: return 0
        case .mailbox(let index): return mailboxes[index].read(offset, bus)
        case .interrupts: return interrupts.read(offset, bus)
        case .clocks: return clocks.read(offset, bus)
        case .watchdog: return watchdog.read(offset, bus)
        case .timers: return timers.read(offset, bus)
        case .serial(let index): return serial[index].read(offset, bus)
        case .i2c(let index):
            let value = i2c[index].read(offset, bus)
            if i2c[index].request != nil { askSlaves(bus) }
            return value
        case .spi(let index): return spi[index].read(offset, bus)
        case .adc: return adc.read(offset, bus)
        case .pwm(let index): return pwm[index].read(offset, bus)
        case .dma: return dma.read(offset, bus)
        case .audio(let index): return audio[index].read(offset, bus)
        case .counter(let index): return counters[index].read(offset, bus)
        case .fixed(let value): return value
        case .pins(let index): return pins[index].read(offset, bus)
        case .closePins: return closePins.read(offset, bus)
        case .storage: return storage[address] ?? 0
        case .unknown:
            bus.isUnmodelled = true
            return 0
        }
    }

    /// Until when a read at an address gives the same, and has no effect.
    func stableUntil(_ address: UInt32, _ now: Int64) -> Int64 {
        let (place, offset) = place(address)
        return switch place {
        case .nothing, .storage, .fixed: .max
        case .mailbox(let index): mailboxes[index].stableUntil(offset, now)
        case .interrupts: interrupts.stableUntil(offset, now)
        case .clocks: clocks.stableUntil(offset, now)
        case .watchdog: watchdog.stableUntil(offset, now)
        case .timers: timers.stableUntil(offset, now)
        case .serial(let index): serial[index].stableUntil(offset, now)
        case .i2c(let index): i2c[index].stableUntil(offset, now)
        case .spi(let index): spi[index].stableUntil(offset, now)
        case .adc: adc.stableUntil(offset, now)
        case .pwm(let index): pwm[index].stableUntil(offset, now)
        case .dma: dma.stableUntil(offset, now)
        case .audio(let index): audio[index].stableUntil(offset, now)
        case .counter(let index): counters[index].stableUntil(offset, now)
        case .pins(let index): pins[index].stableUntil(offset, now)
        case .closePins: closePins.stableUntil(offset, now)
        case .unknown: .min
        }
    }

    mutating func write(_ address: UInt32, _ value: UInt32, _ bus: Bus) {
        let (place, offset) = place(address)
        switch place {
        case .nothing, .fixed: return
        case .mailbox(let index):
            mailboxes[index].write(offset, value, bus)
            if index == 1, mailboxes[index].hasSent { bus.hasMail = true }
        case .interrupts: interrupts.write(offset, value, bus)
        case .clocks: clocks.write(offset, value, bus)
        case .watchdog: watchdog.write(offset, value, bus)
        case .timers: timers.write(offset, value, bus)
        case .serial(let index): serial[index].write(offset, value, bus)
        case .i2c(let index):
            i2c[index].write(offset, value, bus)
            askSlaves(bus)
        case .spi(let index): spi[index].write(offset, value, bus)
        case .adc: adc.write(offset, value, bus)
        case .pwm(let index): pwm[index].write(offset, value, bus)
        case .dma: dma.write(offset, value, bus)
        case .audio(let index): audio[index].write(offset, value, bus)
        case .counter(let index): counters[index].write(offset, value, bus)
        case .pins(let index):
            pins[index].write(offset, value, bus)
            pinsMoved(bus)
        case .closePins: closePins.write(offset, value, bus)
        case .storage: storage[address] = value
        case .unknown: bus.isUnmodelled = true
        }
        moveData(bus)
    }

    // MARK: Time

    /// Brings time-dependent state to `bus.now`.
    mutating func advance(_ bus: Bus) {
        mailboxes[1].advance(bus)
        timers.advance(bus)
        watchdog.advance(bus)
        adc.advance(bus)
        for index in serial.indices where serial[index].nextEvent <= bus.now { serial[index].advance(bus) }
        for index in i2c.indices where i2c[index].nextEvent <= bus.now { i2c[index].advance(bus) }
        for index in spi.indices where spi[index].nextEvent <= bus.now { spi[index].advance(bus) }
        for index in audio.indices where audio[index].nextEvent <= bus.now { audio[index].advance(bus) }
        askSlaves(bus)
        moveData(bus)
    }

    /// When something will next happen by itself.
    var nextEvent: Int64 {
        var next = min(mailboxes[1].nextEvent, timers.nextEvent, watchdog.nextEvent, adc.nextEvent)
        for one in serial { next = min(next, one.nextEvent) }
        for one in i2c { next = min(next, one.nextEvent) }
        for one in spi { next = min(next, one.nextEvent) }
        for one in audio { next = min(next, one.nextEvent) }
        return next
    }

    mutating func coreClockChanged(to hertz: Int64, at now: Int64) { timers.coreClockChanged(to: hertz, at: now) }

    /// A reset of the core resets what belongs to it.
    mutating func reset() {
        var watchdog = watchdog
        watchdog.reset()
        let (pins, mailboxes, serial) = (pins, mailboxes, serial.map { $0.afterReset() })
        self = Peripherals()
        // What the outside holds, and what the A7 has sent, stays.
        (self.watchdog, self.pins, self.mailboxes, self.serial) = (watchdog, pins, mailboxes, serial)
    }

    // MARK: Inputs

    mutating func take(_ input: WorldInput, _ bus: Bus) {
        switch input {
        case .pin(let pin, let isHigh):
            for index in pins.indices { pins[index].setExternal(pin: pin, isHigh: isHigh) }
            closePins.setExternal(pin: pin, isHigh: isHigh)
            pinsMoved(bus)
        case .serial(let port, let bytes): withSerial(port) { $0.receive(bytes, at: bus.now) }
        case .wired(let port, let byte, let bits): withSerial(port) { $0.receiveWired(byte, taking: bits, at: bus.now) }
        }
    }

    private mutating func withSerial(_ port: SerialPortName, _ body: (inout SerialPort) -> Void) {
        let index =
            switch port {
            case .debug: 0
            case .isu(let unit): 1 + unit
            }
        if serial.indices.contains(index) { body(&serial[index]) }
    }

    /// Whether a UART has bytes that are not on the line yet.
    var isSending: Bool { serial.contains { $0.isSending } }

    private mutating func pinsMoved(_ bus: Bus) {
        let levels = (0..<6).reduce(UInt32(0)) { $0 | (pins[$1].levels & 0xF) << UInt32(4 * $1) }
        interrupts.pinsAre(levels, bus)
        for group in counters.indices { counters[group].pinsAre(levels >> UInt32(4 * group) & 0xF) }
    }

    // MARK: Wires

    /// Masters whose transfer waits for a slave: one of this core's ISUs, the other core's, or nobody.
    private mutating func askSlaves(_ bus: Bus) {
        for index in i2c.indices {
            while let request = i2c[index].request, let peer = bus.world.wired(to: index) {
                if let answer = serve(request, at: peer) {
                    i2c[index].answer(answer, bus)
                } else if bus.hasNeighbour {
                    bus.hasMail = true
                    break
                } else {
                    i2c[index].answer(nil, bus)
                }
            }
        }
    }

    mutating func serve(_ request: I2CRequest, at unit: Int) -> [UInt8]? {
        i2c.indices.contains(unit) ? i2c[unit].serve(request) : nil
    }

    /// ISUs whose I2C master waits for the other core.
    var wireRequests: [(unit: Int, request: I2CRequest)] {
        i2c.indices.compactMap { unit in i2c[unit].request.map { (unit, $0) } }
    }

    mutating func answer(_ bytes: [UInt8]?, to unit: Int, _ bus: Bus) {
        i2c[unit].answer(bytes, bus)
        askSlaves(bus)
        moveData(bus)
    }

    mutating func withMailbox<T>(_ index: Int, _ body: (inout Mailbox) -> T) -> T { body(&mailboxes[index]) }

    // MARK: Interrupt lines (mt3620-silicon §2.1)

    var lines: ExceptionSet {
        var set = ExceptionSet()
        func line(_ number: Int, _ isHigh: Bool) {
            if isHigh && !interrupts.isBlocked(line: number) { set[CoreException.interrupts + number] = true }
        }
        line(1, timers.isAsserting)
        let alarm = GeneralPurposeTimers.alarmLine
        line(alarm, timers.alarmIsAsserting && interrupts.isLevel(line: alarm))
        line(3, watchdog.isAsserting)
        line(4, serial[0].isAsserting)
        for (index, mailbox) in mailboxes.enumerated() {
            for (offset, isHigh) in mailbox.lines.enumerated() { line(6 + 6 * index + offset, isHigh) }
            line(11 + 6 * index, mailbox.softwareIsAsserting)
        }
        interrupts.lines(into: &set)
        for unit in 0..<6 {
            line(44 + 4 * unit, i2c[unit].isAsserting)
            line(45 + 4 * unit, spi[unit].isAsserting)
            line(47 + 4 * unit, serial[1 + unit].isAsserting)
        }
        for unit in 0..<2 { line(68 + unit, audio[unit].isAsserting) }
        line(70, adc.isAsserting)
        for group in 0..<6 { line(71 + group, counters[group].isAsserting) }
        line(77, dma.isAsserting)
        return set
    }

    mutating func wokeCore(_ pending: ExceptionSet) { interrupts.wokeCore(pending) }

    /// Takes the edges that have come, as far as their lines reach the core.
    func takeEdges(_ bus: Bus) -> ExceptionSet {
        var set = ExceptionSet()
        bus.pulses.forEach { set[$0] = !interrupts.isBlocked(line: $0 - CoreException.interrupts) }
        bus.pulses = ExceptionSet()
        return set
    }

    // MARK: DMA

    private mutating func moveData(_ bus: Bus) {
        for index in dma.channel.indices where dma.isActive(index) {
            switch index {
            case 0..<12: moveHalfSize(index, bus)
            case 12: copyMemory(bus)
            case 29: fillRing(index, adc.takeSamples().flatMap(\.littleEndianBytes), bus)
            case 13..<25 where index % 2 == 1: drainRing(index, bus)
            case 13..<25: fillRing(index, serial[1 + (index - 14) / 2].takeReceived(room(in: index)), bus)
            case 25, 27: drainRing(index, bus)
            default:
                let width = dma.channel[index].elementBytes
                fillRing(index, audio[(index - 26) / 2].takeReceived().flatMap { $0.littleEndianBytes.prefix(width) }, bus)
            }
        }
    }

    /// What a half-size channel serves: the block of its unit that its fixed address lies in.
    private enum Port { case i2c, spi, serial }

    private func port(of index: Int) -> Port {
        switch (dma.channel[index].registers[0x60] ?? 0) & 0xF00 {
        case 0x200: .i2c
        case 0x300: .spi
        case 0x500: .serial
        default: spi[index / 2].usesDMA ? .spi : .i2c
        }
    }

    /// Channel 2n sends for ISU n, 2n + 1 receives.
    private mutating func moveHalfSize(_ index: Int, _ bus: Bus) {
        if index % 2 == 0 { sendHalfSize(index, bus) } else { receiveHalfSize(index, bus) }
        if dma.channel[index].remaining == 0 { dma.channel[index].finish() }
    }

    private mutating func sendHalfSize(_ index: Int, _ bus: Bus) {
        let (unit, port, width) = (index / 2, port(of: index), dma.channel[index].elementBytes)
        let remaining = dma.channel[index].remaining
        let limit =
            switch port {
            case .i2c: min(remaining, i2c[unit].wantsToSend / width)
            case .serial: min(remaining, serial[1 + unit].room)
            case .spi: remaining
            }
        for _ in 0..<limit {
            let channel = dma.channel[index]
            let bytes = (0..<width).compactMap { bus.memory.dmaLoad(channel.address(of: channel.moved * width + $0), 1)?.first }
            guard bytes.count == width else { break }
            dma.channel[index].move(1)
            switch port {
            case .i2c: i2c[unit].send(bytes, bus)
            case .spi: spi[unit].write(0x40, word(bytes), bus)
            case .serial: serial[1 + unit].transmit(bytes[0], bus)
            }
        }
    }

    private mutating func receiveHalfSize(_ index: Int, _ bus: Bus) {
        let (unit, channel) = (index / 2, dma.channel[index])
        let (width, limit) = (channel.elementBytes, channel.remaining * channel.elementBytes)
        let bytes =
            switch port(of: index) {
            case .i2c: i2c[unit].takeReceived(limit)
            case .spi: spi[unit].takeReceived(limit)
            case .serial: serial[1 + unit].takeReceived(limit)
            }
        for (offset, byte) in bytes.enumerated() {
            _ = bus.memory.dmaStore(channel.address(of: channel.moved * width + offset), [byte])
        }
        dma.channel[index].move((bytes.count + width - 1) / width)
    }

    private func word(_ bytes: [UInt8]) -> UInt32 {
        bytes.enumerated().reduce(0) { $0 | UInt32($1.element) << (8 * UInt32($1.offset)) }
    }

    private mutating func copyMemory(_ bus: Bus) {
        var channel = dma.channel[12]
        let bytes = channel.count * channel.elementBytes
        if let content = bus.memory.dmaLoad(channel.registers[0x00] ?? 0, bytes) {
            _ = bus.memory.dmaStore(channel.registers[0x04] ?? 0, content)
        }
        (channel.moved, channel.remaining) = (channel.count, 0)
        channel.finish()
        dma.channel[12] = channel
    }

    /// What a ring takes before software has followed: the rest stays where it is, and is lost there if it must be.
    private func room(in index: Int) -> Int {
        max(0, dma.channel[index].fifoSize - dma.channel[index].fifoCount) * dma.channel[index].elementBytes
    }

    /// From a peripheral into a ring; software follows with its own pointer.
    private mutating func fillRing(_ index: Int, _ bytes: [UInt8], _ bus: Bus) {
        var channel = dma.channel[index]
        let width = channel.elementBytes
        for start in stride(from: 0, to: bytes.count - width + 1, by: width) where channel.fifoCount < channel.fifoSize {
            _ = bus.memory.dmaStore(channel.ringAddress, Array(bytes[start..<start + width]))
            channel.advanceHardware()
        }
        if !bytes.isEmpty, channel.fifoCount >= max(1, channel.count), channel.control & 1 << 15 != 0 { channel.interrupts |= 1 << 15 }
        dma.channel[index] = channel
    }

    /// From a ring into a UART or an I2S controller, as far as software has written.
    private mutating func drainRing(_ index: Int, _ bus: Bus) {
        var channel = dma.channel[index]
        let unit = index < 25 ? (index - 13) / 2 : (index - 25) / 2
        let room = index < 25 ? serial[1 + unit].room : audio[unit].room
        for _ in 0..<min(channel.fifoCount, room) {
            guard let bytes = bus.memory.dmaLoad(channel.ringAddress, channel.elementBytes) else { break }
            if index < 25 { serial[1 + unit].transmit(bytes[0], bus) } else { audio[unit].send(word(bytes)) }
            channel.advanceHardware()
        }
        channel.tellIfLow()
        dma.channel[index] = channel
    }
}
