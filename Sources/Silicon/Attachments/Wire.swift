/// Leads from one ISU of the chip to another: what the one sends the other receives, as a UART (each line crossed) and as an
/// I2C bus. The board carries it; here is only where it leads.
final class Wire: Attachment {
    let other: Int

    init(to other: Int) { self.other = other }

    /// Words such as `isu2`.
    init(_ words: [String]) throws(AttachmentError) {
        guard words.count == 1, case .serial(let unit)? = AttachmentPlace(words[0]) else {
            throw AttachmentError("wire: expected the ISU at its other end, as in wire@isu1:isu2")
        }
        other = unit
    }
}
