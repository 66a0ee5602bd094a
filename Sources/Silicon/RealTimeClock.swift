import Formats

/// The battery-backed clock of a device: it goes on without power, and it can be wrong.
///
/// What it shows is the true time plus an offset plus what it has drifted since it was last touched.
public final class RealTimeClock {
    private let state: WorldState
    private var offset: Int64
    private var driftPartsPerBillion: Int64
    private var touchedAt: Int64
    private var hasBattery: Bool

    public init(path: String) throws(SiliconError) {
        state = try WorldState(path: path, count: 32)
        let bytes = Bytes(state.bytes)
        func word(_ at: Int) -> Int64 { Int64(bitPattern: bytes.u64(at) ?? 0) }
        (offset, driftPartsPerBillion, touchedAt, hasBattery) = (word(0), word(8), word(16), word(24) == 0)
    }

    /// How far the clock is ahead at an instant of the run, in nanoseconds.
    public func error(at nanoseconds: Int64) -> Int64 {
        // Split, so that years of nanoseconds times parts per billion stay inside 64 bits.
        let elapsed = nanoseconds - touchedAt
        let drifted = elapsed / 1_000_000_000 * driftPartsPerBillion + elapsed % 1_000_000_000 * driftPartsPerBillion / 1_000_000_000
        return offset &+ drifted
    }

    public func jump(by nanoseconds: Int64, at now: Int64) {
        offset = error(at: now) &+ nanoseconds
        touch(now)
    }

    public func drift(partsPerBillion: Int64, at now: Int64) {
        offset = error(at: now)
        driftPartsPerBillion = partsPerBillion
        touch(now)
    }

    /// The battery is dead: the next time without power is one without time.
    public func loseBattery() {
        hasBattery = false
        touch(touchedAt)
    }

    /// Power is back.
    /// - Parameter unixNanoseconds: The true time since 1970, which is what a clock without battery begins at.
    public func powerOn(at now: Int64, unixNanoseconds: Int64) {
        guard !hasBattery else { return }
        offset = -unixNanoseconds
        touch(now)
    }

    private func touch(_ now: Int64) {
        touchedAt = now
        state.bytes = [offset, driftPartsPerBillion, touchedAt, hasBattery ? 0 : 1].flatMap(\.littleEndianBytes)
    }
}
