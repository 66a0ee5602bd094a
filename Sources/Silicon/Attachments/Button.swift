/// Pulls its pin low while it is pressed.
final class Button: Attachment {
    let changes: [(at: Int64, isHigh: Bool)]

    /// Words such as `1s/200ms`: when, and for how long.
    init(_ words: [String]) throws(AttachmentError) {
        var changes: [(at: Int64, isHigh: Bool)] = []
        for word in words {
            let parts = word.split(separator: "/").compactMap { Button.nanoseconds(String($0)) }
            guard parts.count == 2, parts[0] >= changes.last?.at ?? 0 else {
                throw AttachmentError("button: expected times and lengths in order, such as 1s/200ms,3s/1s")
            }
            changes += [(parts[0], false), (parts[0] + parts[1], true)]
        }
        self.changes = changes
    }

    static func nanoseconds(_ text: String) -> Int64? {
        for (unit, scale) in [("us", 1e3), ("ms", 1e6), ("s", 1e9)] where text.hasSuffix(unit) {
            guard let value = Double(text.dropLast(unit.count)), value >= 0, value < 1e9 else { continue }
            return Int64(value * scale)
        }
        return nil
    }
}
