import Wire

/// When something is due that needs a certificate: without one it waits, instead of looking again and again.
struct CertifiedDuty {
    var at = Instant.never
    private var isWaiting = false

    /// There is no certificate.
    mutating func wait() { (at, isWaiting) = (.never, true) }

    mutating func stop() { (at, isWaiting) = (.never, false) }

    /// There is one: a fleet that has waited for it does not speak all at once.
    mutating func certified(_ now: Instant, _ draws: inout SeedStream) {
        guard isWaiting else { return }
        (at, isWaiting) = (min(at, now + draws.duration(upTo: .minutes(1))), false)
    }
}
