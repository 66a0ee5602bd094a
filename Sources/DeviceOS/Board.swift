public import Applications
public import BoardSupport
public import DeviceServices
public import Wire

/// What boots on a board: its silicon, and what has started on it.
public protocol BoardChip {
    /// Up to the OS's services. False if it did not come up; the observations say why.
    /// - Parameter glitch: A fault that somebody makes meanwhile, such as `1234:skip`.
    mutating func boot(glitch: String?, _ out: inout Outbox) -> Bool
    /// Takes the apps as they are installed now; false if it can't be told what they are.
    mutating func restartApps(_ out: inout Outbox) -> Bool
    /// RAM is gone.
    mutating func reset()
    func openSettings() throws -> SettingsStore
    var software: FlashSoftware { get }
    /// What the OS prints when it starts.
    var banner: String { get }
    /// How many images were measured.
    var measurements: Int { get }
    /// In the middle of an operation of its flash: nothing works any more. How many operations there were.
    var powerLostAfter: Int? { get }
    /// What its flash has been worn since it got power.
    var flashUse: ResourceUse { get }
    func cutPower(duringFlashOperation count: Int)
    /// Charge leaks out of the cells that hold images.
    func rot(_ rot: FlashRot, _ out: inout Outbox)
}

/// One kind of device, as hardware and as what starts on it: everything that ``Device`` and its services do not do alike on all of them.
public protocol Board {
    associatedtype Chip: BoardChip
    var chip: Chip { get set }

    var attestingEnvironment: any AttestingEnvironment { get }
    var keys: any KeyStore { get }
    var hardwareClock: any HardwareClock { get }

    /// The device's time goes on.
    func note(_ now: Instant)

    // MARK: Power

    /// It gets power, once in the life of its process: before it boots.
    mutating func powerOn(_ out: inout Outbox)
    /// It is up, and services begin.
    mutating func begin(_ settings: any SettingsKeeper, _ now: Instant)
    /// Whoever is at a cable hears no more.
    mutating func disconnect(_ out: inout Outbox)
    /// The system for its apps, beside what follows from its software.
    /// - Parameter clientKey: What stands for the key of the certificates.
    func complete(_ system: inout AppHost.System, clientKey: [UInt8])

    // MARK: What comes beside the network

    /// What the world or an operator does to it; what it does not know is nothing.
    mutating func obey(_ command: String, _ body: [UInt8], _ apps: inout AppHost, _ out: inout Outbox)
    /// What came over its own cable while it runs; nil if that is none.
    mutating func attendCable(
        _ event: Event, _ services: inout Services, _ apps: inout AppHost, _ out: inout Outbox
    ) -> [AppOutcome]?
    /// Why it is to start anew, once after somebody has asked for it over the cable.
    mutating func takeRestart() -> String?
    /// Somebody services it: nothing else runs as long as that lasts. Nil for what does not concern that.
    mutating func attendMaintenance(_ event: Event, _ out: inout Outbox) -> Maintenance?
    /// What runs has ended.
    mutating func beginMaintenance(_ out: inout Outbox) -> Maintenance
    /// When whoever services it goes on; nil if nobody does.
    var maintenanceWakesAt: Instant? { get }
}

public enum Maintenance: Equatable, Sendable {
    /// What runs is to end first.
    case begins
    case goesOn
    /// The device starts.
    case ended
}

/// A kind that nobody services, that has no cable, and that answers to nothing but what its chip knows.
extension Board {
    public func note(_ now: Instant) {}
    public mutating func powerOn(_ out: inout Outbox) {}
    public mutating func begin(_ settings: any SettingsKeeper, _ now: Instant) {}
    public mutating func disconnect(_ out: inout Outbox) {}
    public func complete(_ system: inout AppHost.System, clientKey: [UInt8]) {}
    public mutating func obey(_ command: String, _ body: [UInt8], _ apps: inout AppHost, _ out: inout Outbox) {}
    public mutating func attendCable(
        _ event: Event, _ services: inout Services, _ apps: inout AppHost, _ out: inout Outbox
    ) -> [AppOutcome]? { nil }
    public mutating func takeRestart() -> String? { nil }
    public mutating func attendMaintenance(_ event: Event, _ out: inout Outbox) -> Maintenance? { nil }
    public mutating func beginMaintenance(_ out: inout Outbox) -> Maintenance { .ended }
    public var maintenanceWakesAt: Instant? { nil }
}

/// The chip behind a board of any kind.
extension Board {
    mutating func boot(glitch: String?, _ out: inout Outbox) -> Bool { chip.boot(glitch: glitch, &out) }
    mutating func restartApps(_ out: inout Outbox) -> Bool { chip.restartApps(&out) }
    mutating func reset() { chip.reset() }
    var powerLostAfter: Int? { chip.powerLostAfter }
    var flashUse: ResourceUse { chip.flashUse }
}

extension ImageStore: ImageMemory {}
