import Formats
public import Wire

/// How the system goes on after its start, as far as its own code is to blame: it may stop answering, until a watchdog starts it anew,
/// or eat memory until there is none left.
public struct SystemCourse {
    public enum Turn: Equatable {
        case goesOn
        /// Nothing that comes is answered.
        case hangs
        /// The system starts anew; with `isReported` the next one finds why, and tells of it.
        case restarts(String, isReported: Bool)
    }

    /// Ours: no time is published for the watchdog that the security processor has over the application core.
    static let watchdog = Duration.seconds(30)
    /// Ours: of the 4 MiB of RAM, what system and apps leave free.
    static let freeBytes: Int64 = 1 << 20

    private var stopsAt = Instant.never
    private var memoryEndsAt = Instant.never
    private var watchdogAt = Instant.never
    public private(set) var hasNetwork = true

    /// One that has nothing wrong with it.
    public init() {}

    /// - Parameter code: What has started.
    init(_ code: StageCode?, at now: Instant) {
        guard let code else { return }
        hasNetwork = !code.lacks.contains(.network)
        if let seconds = code.stopsAfterSeconds { stopsAt = now + .seconds(max(0, min(seconds, 1 << 32))) }
        if let rate = code.leaksBytesPerSecond, rate > 0 { memoryEndsAt = now + .seconds(max(1, SystemCourse.freeBytes / rate)) }
    }

    public var hangs: Bool { watchdogAt != .never }
    /// When something changes by itself.
    public var next: Instant { hangs ? watchdogAt : min(stopsAt, memoryEndsAt) }

    public mutating func turn(_ now: Instant) -> Turn {
        if hangs { return watchdogAt <= now ? .restarts("watchdog: the system had stopped answering", isReported: false) : .hangs }
        if memoryEndsAt <= now { return .restarts("kernel panic: out of memory", isReported: true) }
        guard stopsAt <= now else { return .goesOn }
        watchdogAt = now + SystemCourse.watchdog
        return .hangs
    }
}
