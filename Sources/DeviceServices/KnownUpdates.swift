import Formats

/// When a device first learnt of each update that it has yet to install, by its own clock. From then on it may be put off for so
/// long and no longer (UP-7), however often the device starts anew meanwhile: so this is kept in the settings.
struct KnownUpdates: Equatable {
    /// As many as a check may name.
    private static let limit = 64
    private static let recordBytes = 40
    private var since: [(sha256: [UInt8], unixSeconds: Int64)] = []

    static func == (a: KnownUpdates, b: KnownUpdates) -> Bool { a.encoded == b.encoded }

    /// - Parameter bytes: {SHA-256, Unix seconds i64} for each, as ``encoded`` has it.
    init(_ bytes: [UInt8]) {
        let words = Bytes(bytes)
        since = stride(from: 0, through: bytes.count - KnownUpdates.recordBytes, by: KnownUpdates.recordBytes).prefix(KnownUpdates.limit)
            .compactMap { at in
                words.u64(at + 32).map { (Array(bytes[at..<at + 32]), Int64(bitPattern: $0)) }
            }
    }

    var encoded: [UInt8] { since.flatMap { $0.sha256 + UInt64(bitPattern: $0.unixSeconds).littleEndianBytes } }

    /// What a check has found, all layers together; the rest is installed or wanted no longer.
    ///
    /// Of what was learnt of later than now nothing is known any more, since the clock was set back: it counts from now on.
    mutating func learn(_ digests: [[UInt8]], at unixSeconds: Int64) {
        since = digests.prefix(KnownUpdates.limit).map { digest in
            let before = since.first { $0.sha256 == digest }?.unixSeconds
            return (digest, min(before ?? unixSeconds, unixSeconds))
        }
    }

    /// How long the first of some images has been known.
    func age(of images: [StagedImage], at unixSeconds: Int64) -> Duration {
        let first = since.filter { known in images.contains { $0.sha256 == known.sha256 } }.map(\.unixSeconds).min() ?? unixSeconds
        let (seconds, overflow) = unixSeconds.subtractingReportingOverflow(first)
        return .seconds(overflow ? 0 : max(0, seconds))
    }
}
