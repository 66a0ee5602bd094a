/// Keeps what it is told in a file.
final class SerialRecorder: Attachment {
    private let path: String
    private var heard: [UInt8] = []
    private var kept = -1
    private var events: [String] = []
    /// What is kept in memory before the file is written.
    private static let enough = 64 << 10

    init(path: String) throws(AttachmentError) {
        guard !path.isEmpty else { throw AttachmentError("serial: file: expected a path") }
        self.path = path
    }

    func received(_ byte: UInt8, at now: Int64) -> [UInt8] {
        heard.append(byte)
        if heard.count - max(0, kept) >= SerialRecorder.enough { keep() }
        return []
    }

    func finish(at now: Int64) { if heard.count > kept, !heard.isEmpty { keep() } }

    private func keep() {
        kept = heard.count
        if let error = BackingFile.replace(path: path, with: heard) { events.append("cannot write \(path): errno \(error)") }
    }

    func takeEvents() -> [String] {
        defer { events = [] }
        return events
    }

    var memory: [UInt8] {
        get { heard }
        set { heard = newValue }
    }
}
