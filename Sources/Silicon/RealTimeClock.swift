import Formats

/// The battery-backed clock of a device: it goes on without power, and it can be wrong.
///
/// What it shows is the true time plus an offset plus what it has drifted since it was last touched.
public final class RealTimeClock {
    private let state: WorldState
    private var offset: Int64
    private var driftPartsPerBillion: Int64
    private var touchedAt: Int64

    public init(path: String) throws(SiliconError) {
        state = try WorldState(path: path, count: 24)
        let bytes = Bytes(state.bytes)
        func word(_ at: Int) -> Int64 { Int64(bitPattern: bytes.u64(at) ?? 0) }
        (offset, driftPartsPerBillion, touchedAt) = (word(0), word(8), word(16))
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

    private func touch(_ now: Int64) {
        touchedAt = now
        state.bytes = [offset, driftPartsPerBillion, touchedAt].flatMap(\.littleEndianBytes)
    }
}
