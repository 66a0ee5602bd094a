/// Says when it is lit. Boards wire it either way: high is on.
final class LED: Attachment {
    private var isOn = false

    var memory: [UInt8] {
        get { [isOn ? 1 : 0] }
        set { isOn = newValue == [1] }
    }

    func output(isHigh: Bool, at now: Int64) -> String? {
        guard isOn != isHigh else { return nil }
        isOn = isHigh
        return isHigh ? "on" : "off"
    }

    func pulseWidth(_ duty: Double, at now: Int64) -> String? { "\(Int((duty * 100).rounded())) %" }
}
