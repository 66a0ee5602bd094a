import Glibc
public import Wire

/// Time since an origin on the monotonic clock.
public struct WallClock: Sendable {
    private let origin: Int64
    public init(now: Instant = .start) { origin = WallClock.monotonic() - now.nanoseconds }
    public var now: Instant { Instant(nanoseconds: WallClock.monotonic() - origin) }

    private static func monotonic() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
