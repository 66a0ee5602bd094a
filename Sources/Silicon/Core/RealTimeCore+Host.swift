import CUnicorn

/// What whoever holds the core may see of it from outside: a debugger, or a host that answers its program's calls.
extension RealTimeCore {
    public func load(_ address: UInt32, _ count: Int) -> [UInt8]? { engine.load(address, count) }

    /// A message from an app on the A7.
    public func post(_ message: HighLevelPartner.Message) { partner?.post(message) }
    /// What the way to the program has room for, in bytes of the ring (see ``HighLevelPartner/ringBytes(ofPayload:)``).
    public var messageRoomBytes: Int { partner?.roomBytes(bus) ?? 0 }
    /// Nobody takes what the program sends, for now.
    public func holdMessages(_ holds: Bool) { partner?.holds = holds }
    /// What the program has sent to apps on the A7.
    public func takeMessages() -> [HighLevelPartner.Message] { partner?.takeReceived() ?? [] }

    /// What two real-time cores have sent each other (0x2106_0000) goes on its way, and arrives no earlier than it was sent.
    public func exchangeMail(with other: RealTimeCore) {
        (bus.hasNeighbour, other.bus.hasNeighbour) = (true, true)
        let (sent, otherSent) = (now, other.now)
        peripherals.withMailbox(.realTimeCore) { own in
            other.peripherals.withMailbox(.realTimeCore) {
                own.carry(to: &$0, at: sent)
                $0.carry(to: &own, at: otherSent)
            }
        }
        exchangeWires(with: other)
    }

    /// Two real-time cores of one chip whose manifests do not know each other: what their ISUs are wired for goes on its way.
    public func exchangeWires(with other: RealTimeCore) {
        (bus.hasNeighbour, other.bus.hasNeighbour) = (true, true)
        askSlaves(of: other)
        other.askSlaves(of: self)
    }

    /// An I2C master of this core waits with the clock held low until the other core has come to that instant.
    private func askSlaves(of other: RealTimeCore) {
        for (unit, request) in peripherals.wireRequests where other.now >= request.at || other.nextWork >= request.at {
            guard let peer = bus.world.wired(to: unit) else { continue }
            other.skip(to: request.at)
            let answer = other.peripherals.serve(request, at: peer)
            bus.now = max(now, min(other.now, request.at + 1_000_000_000))
            peripherals.answer(answer, to: unit, bus)
        }
    }

    /// The other core is gone: nobody acknowledges.
    public func leaveWires() {
        bus.hasNeighbour = false
        for (unit, _) in peripherals.wireRequests { peripherals.answer(nil, to: unit, bus) }
    }

    /// The program has ended, and its UARTs send what they hold.
    public func finishSending() {
        while peripherals.isSending, peripherals.nextEvent < .max {
            bus.now = max(bus.now, peripherals.nextEvent)
            peripherals.advance(bus)
        }
    }

    public func words(_ address: UInt32, _ count: Int) -> [UInt32]? { engine.load(address, 4 * count).map { [UInt32](littleEndian: $0) } }

    /// Whole rounds of loops that can only wait are skipped; off, each is executed, with the same trace.
    public var skipsLoops: Bool {
        get { loop.isOn }
        set { loop.isOn = newValue }
    }

    /// Tells of each function that begins, by its address. Must be called before the core has run.
    public func traceCalls(_ functions: Set<UInt32>) {
        engine.onInstruction = { [unowned self] address, _ in
            if functions.contains(address) { onTrace?(clock.nanoseconds(at: cycles), .called(address)) }
        }
        engine.watchInstructions()
    }

    /// Operation and parameter of a semihosting call.
    public var semihostingCall: (operation: UInt32, parameter: UInt32) { (engine[UC_ARM_REG_R0], engine[UC_ARM_REG_R1]) }

    public func returnFromSemihosting(_ result: UInt32) {
        engine[UC_ARM_REG_R0] = result
        programCounter &+= 2
    }
}
