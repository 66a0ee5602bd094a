import Planning
import Wire

extension Plan {
    /// When it is so much by a right clock; nil where that is beyond all numbers.
    func instant(unixSeconds: Int64) -> Instant? {
        let (seconds, overflow) = unixSeconds.subtractingReportingOverflow(epochSeconds)
        return overflow ? nil : .start + .seconds(seconds)
    }
}
