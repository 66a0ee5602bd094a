/// Says when it is lit. Boards wire it either way: high is on.
final class LED: Attachment {
    private var isOn = false

    func output(isHigh: Bool, at now: Int64) -> String? {
        guard isOn != isHigh else { return nil }
        isOn = isHigh
        return isHigh ? "on" : "off"
    }

    func pulseWidth(_ duty: Double, at now: Int64) -> String? { "\(Int((duty * 100).rounded())) %" }
}
