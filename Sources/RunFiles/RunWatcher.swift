public import Wire

/// Somebody who watches a run.
public protocol RunWatcher: Sendable {
    func progress(_ now: Instant, of stop: Instant)
    func observed(_ observations: [Observation])
    func lost(_ process: String, _ end: String)
}
