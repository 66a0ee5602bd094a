import Exchange

/// Asks one server for the time of day and judges its answer.
///
/// An answer proves nothing about who gave it, so with `authenticated-time` on it may correct a clock that went a
/// little wrong, and no more: what is further off is for the owner to look into.
struct TimeSync {
    enum Verdict: Equatable {
        /// The clock is to be set forward by so much.
        case correct(nanoseconds: Int64)
        case refused(String)
        case ignored
    }

    /// More than a quartz of 20 ppm loses in a hundred days.
    private static let believedNanoseconds: Int64 = 5 * 60 * 1_000_000_000

    private var sent: [UInt8]?
    private let isStrict: Bool

    init(isStrict: Bool) { self.isStrict = isStrict }

    mutating func request(unixNanoseconds: Int64) -> [UInt8] {
        let request = NetworkTime.request(unixNanoseconds: unixNanoseconds)
        sent = request
        return request
    }

    mutating func answered(_ bytes: [UInt8], unixNanoseconds: Int64) -> Verdict {
        // Nobody who has not seen the request knows its time stamp.
        guard let request = sent, let time = NetworkTime.time(in: bytes, to: request) else { return .ignored }
        sent = nil
        let offset = time - unixNanoseconds
        if isStrict && abs(offset) > TimeSync.believedNanoseconds {
            return .refused("the clock is said to be \(offset / 1_000_000_000) s off, more than an answer without proof may correct")
        }
        return .correct(nanoseconds: offset)
    }
}
