import Silicon

/// What is soldered to a device's pins, such as `led@gpio8`.
public enum Wiring {
    /// With the paths of its files found.
    public static func resolved(_ attachment: String, inputs: String, outputs: String) -> String {
        Attachments.resolved(attachment, inputs: inputs, outputs: outputs)
    }

    /// Tries all attachments of a device.
    ///
    /// - Parameter inputs: The folder that files are looked for in.
    public static func check(_ attachments: [String], inputs: String) throws {
        let board = Board()
        for text in attachments {
            try board.attach(Attachments.resolved(text, inputs: inputs, outputs: ""))
            if Attachments.changesInput(text) {
                throw AttachmentError("'\(text)': a run that changes what it is made of is no run twice")
            }
        }
    }

    /// The first whose other end is outside of the run, with the reason why that cannot be in virtual time; nil if there is none.
    public static func outside(_ attachments: [String]) -> String? {
        attachments.first(where: Attachments.isOutside).map { "'\($0)': \(OutsideEnd.needsWallClock)" }
    }
}
