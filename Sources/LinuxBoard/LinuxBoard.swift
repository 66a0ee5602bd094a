import Applications
public import Configuration
public import DeviceOS
public import DeviceServices
public import LinuxSystem
public import Wire

/// A commodity board as a kind of device. It has no cable that anybody asks anything over, and nobody services it.
public struct LinuxBoard: Board {
    public var chip: LinuxSystem

    /// - Parameter generation: Of the device's process.
    public init(_ configuration: DeviceConfiguration, generation: Int) throws {
        chip = try LinuxSystem(configuration, generation: generation)
    }

    public var attestingEnvironment: any AttestingEnvironment { chip.root }
    public var keys: any KeyStore { chip.root }
    public var hardwareClock: any HardwareClock { chip.clock }
    public func note(_ now: Instant) { chip.note(now) }
}

extension LinuxSystem: BoardChip {
    public mutating func boot(glitch: String?, _ out: inout Outbox) -> Bool { boot(&out) }
    public mutating func reset() {}
}
