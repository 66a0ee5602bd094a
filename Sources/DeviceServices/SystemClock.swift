public import Configuration
public import Wire

/// The time of day as a device has it: its hardware's clock, and what somebody has set since it started.
public struct SystemClock {
    private let setting: NodeSetting
    private let hardware: any HardwareClock
    /// How far it is ahead of the hardware's.
    private var offset: Int64 = 0

    public init(_ setting: NodeSetting, _ hardware: any HardwareClock) { (self.setting, self.hardware) = (setting, hardware) }

    /// No clock shows more than 146 years ahead or behind, whatever has been done to it: so that times can be added.
    private static let mostError: Int64 = 1 << 62
    /// What claims to be of a later time says nothing of the time: 2096, in Unix seconds.
    private static let latestFloor: Int64 = 4_000_000_000

    /// In nanoseconds; positive where it is ahead of the true time.
    public func error(at now: Instant) -> Int64 {
        max(-SystemClock.mostError, min(SystemClock.mostError, hardware.error(at: now.nanoseconds) &+ offset))
    }

    public func unixSeconds(at now: Instant) -> Int64 { setting.unixSeconds(at: now + .nanoseconds(error(at: now))) }

    public func unixNanoseconds(at now: Instant) -> Int64 { setting.epochSeconds * 1_000_000_000 + now.nanoseconds + error(at: now) }

    /// Until the device starts again, or the hardware's clock is told.
    mutating func set(by nanoseconds: Int64) { offset &+= nanoseconds }

    mutating func keep(_ now: Instant) {
        hardware.jump(by: offset, at: now.nanoseconds)
        offset = 0
    }

    mutating func restart() { offset = 0 }

    /// The device gets power.
    func powerOn(_ now: Instant) {
        hardware.powerOn(at: now.nanoseconds, unixNanoseconds: setting.epochSeconds * 1_000_000_000 + now.nanoseconds)
    }

    /// The time cannot be less than this.
    /// - Parameter floor: Unix seconds, as something in flash has it that nobody need have checked.
    /// - Returns: By how much the clock was set; nil if it showed more.
    func raise(to floor: Int64, _ now: Instant) -> Int64? {
        let shown = unixSeconds(at: now)
        guard floor > shown, floor <= SystemClock.latestFloor else { return nil }
        let behind = (floor - shown) * 1_000_000_000
        hardware.jump(by: behind, at: now.nanoseconds)
        return behind
    }

    /// A fault, or an answer to a question for the time: the hardware's clock jumps, or changes its pace.
    func change(_ change: ClockChange, _ now: Instant) {
        if change.losesBattery == true { hardware.loseBattery() }
        if let drift = change.driftPartsPerBillion { hardware.drift(partsPerBillion: drift, at: now.nanoseconds) }
        hardware.jump(by: change.jumpNanoseconds, at: now.nanoseconds)
    }
}
