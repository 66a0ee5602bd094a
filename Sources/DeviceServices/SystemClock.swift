public import Configuration
public import Wire

/// The time of day as a device has it: its hardware's clock, and what somebody has set since it started.
public struct SystemClock {
    private let setting: NodeSetting
    private let hardware: any HardwareClock
    /// How far it is ahead of the hardware's.
    private var offset: Int64 = 0

    public init(_ setting: NodeSetting, _ hardware: any HardwareClock) { (self.setting, self.hardware) = (setting, hardware) }

    /// In nanoseconds; positive where it is ahead of the true time.
    public func error(at now: Instant) -> Int64 { hardware.error(at: now.nanoseconds) &+ offset }

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
    /// - Parameter floor: Unix seconds.
    /// - Returns: By how much the clock was set; nil if it showed more.
    func raise(to floor: Int64, _ now: Instant) -> Int64? {
        let behind = floor - unixSeconds(at: now)
        guard behind > 0 else { return nil }
        hardware.jump(by: behind * 1_000_000_000, at: now.nanoseconds)
        return behind * 1_000_000_000
    }

    /// A fault, or an answer to a question for the time: the hardware's clock jumps, or changes its pace.
    func change(_ change: ClockChange, _ now: Instant) {
        if change.losesBattery == true { hardware.loseBattery() }
        if let drift = change.driftPartsPerBillion { hardware.drift(partsPerBillion: drift, at: now.nanoseconds) }
        hardware.jump(by: change.jumpNanoseconds, at: now.nanoseconds)
    }
}
