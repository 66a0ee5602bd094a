/// Says when it is lit: by a high level, or by a low one as on the reference board.
final class LED: Attachment {
    private let isActiveLow: Bool

    init(_ words: [String]) throws(AttachmentError) {
        guard words.isEmpty || words == ["low"] else {
            throw AttachmentError("led: expected nothing, or low for one that a low level lights")
        }
        isActiveLow = words == ["low"]
    }

    private var isOn = false

    var memory: [UInt8] {
        get { [isOn ? 1 : 0] }
        set { isOn = newValue == [1] }
    }

    func output(isHigh: Bool, at now: Int64) -> String? {
        let lights = isHigh != isActiveLow
        guard isOn != lights else { return nil }
        isOn = lights
        return lights ? "on" : "off"
    }

    func pulseWidth(_ duty: Double, at now: Int64) -> String? { "\(Int((duty * 100).rounded())) %" }
}
