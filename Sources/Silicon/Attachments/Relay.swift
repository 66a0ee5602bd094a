/// Says when its contact closes.
final class Relay: Attachment {
    private var isClosed = false

    func output(isHigh: Bool, at now: Int64) -> String? {
        guard isClosed != isHigh else { return nil }
        isClosed = isHigh
        return isHigh ? "closed" : "open"
    }
}
