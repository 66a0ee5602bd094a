/// Says when its contact closes.
final class Relay: Attachment {
    private var isClosed = false

    var memory: [UInt8] {
        get { [isClosed ? 1 : 0] }
        set { isClosed = newValue == [1] }
    }

    func output(isHigh: Bool, at now: Int64) -> String? {
        guard isClosed != isHigh else { return nil }
        isClosed = isHigh
        return isHigh ? "closed" : "open"
    }
}
