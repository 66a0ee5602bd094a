public import Applications
public import DeviceOS
public import DeviceServices
public import MT3620
public import Wire

/// The chip with what Azure Sphere puts around it: a service port, recovery over the debug UART, a debug probe's pins.
public struct MT3620Board: Board {
    public var chip: MT3620Chip
    private let generation: Int
    private var cable = RESTServer()
    private var recovery = RecoveryMode()
    private var development = Development()

    /// - Parameter generation: Of the device's process.
    public init(_ chip: MT3620Chip, generation: Int) { (self.chip, self.generation) = (chip, generation) }

    public var attestingEnvironment: any AttestingEnvironment { chip.pluton }
    public var keys: any KeyStore { chip.pluton }
    public var hardwareClock: any HardwareClock { chip.clock }

    public mutating func powerOn(_ out: inout Outbox) { recovery.performOrder(chip, generation: generation, &out) }

    public mutating func begin(_ settings: any SettingsKeeper, _ now: Instant) {
        cable.begin(now)
        development = Development(settings[.capabilityFile], chip)
    }

    public mutating func disconnect(_ out: inout Outbox) { cable.stop(&out) }

    public func complete(_ system: inout AppHost.System, clientKey: [UInt8]) { system.pluton = chip.mailbox(seed: clientKey) }

    // MARK: Cables and probes

    public mutating func obey(_ command: String, _ body: [UInt8], _ apps: inout AppHost, _ out: inout Outbox) {
        guard command == CommandName.debugPort, let request = JSON.decode(DebugRequest.self, body) else { return }
        guard chip.isDebugOpen(development.capabilities) else {
            return out.observe(
                .debugPort, [.operation: .text(request.rawValue), .result: "locked", .code: .text(Code.capabilityMissing.rawValue)])
        }
        apps.probe(request, &out)
    }

    /// The cable in the service port, where nothing of the network comes in.
    public mutating func attendCable(
        _ event: Event, _ services: inout Services, _ apps: inout AppHost, _ out: inout Outbox
    ) -> [AppOutcome]? {
        guard cable.takes(event) else { return nil }
        return cable.handle(event, chip, &services, &apps, &development, &out)
    }

    public mutating func takeRestart() -> String? { cable.takeRestart() ? "asked over the service port" : nil }

    /// True for what concerns a cable at the debug UART, and for everything while there is one: nothing else runs then.
    public mutating func attendMaintenance(_ event: Event, _ out: inout Outbox) -> Maintenance? {
        if case .accepted(let stream, ServicePort.recovery, _) = event {
            _ = recovery.handle(event, &out)
            return recovery.reset(stream, chip, &out) ? .begins : .goesOn
        }
        return recovery.handle(event, &out).map(Maintenance.init)
    }

    public mutating func beginMaintenance(_ out: inout Outbox) -> Maintenance { Maintenance(recovery.begin(chip, &out)) }

    public var maintenanceWakesAt: Instant? { recovery.wakesAt }
}

extension Maintenance {
    fileprivate init(_ outcome: RecoveryMode.Outcome) { self = outcome == .ended ? .ended : .goesOn }
}

extension MT3620Chip: BoardChip {}
