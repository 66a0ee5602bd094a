import Wire

/// How often one address may ask (`request-limits`): a window of a minute for each.
struct RateLimiter {
    /// A device that attests asks four times, and again after a failure.
    static let perMinute = 120

    private var windows: [Address: (start: Int64, count: Int)] = [:]

    /// - Parameter now: Unix seconds.
    mutating func admits(_ address: Address, now: Int64) -> Bool {
        var window = windows[address] ?? (now, 0)
        if now - window.start >= 60 { window = (now, 0) }
        window.count += 1
        windows[address] = window
        // Addresses that have been quiet are forgotten, or a flood of addresses would fill the memory.
        if windows.count > 10_000 { windows = windows.filter { now - $0.value.start < 60 } }
        return window.count <= RateLimiter.perMinute
    }
}
