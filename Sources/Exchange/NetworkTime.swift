/// Datagrams of the time service: SNTP, version 4 (RFC 5905 section 14, figure 8).
public enum NetworkTime {
    /// Seconds between 1900 and 1970.
    private static let era: Int64 = 2_208_988_800
    private static let bytes = 48

    /// A client's request, stamped by its own clock.
    public static func request(unixNanoseconds: Int64) -> [UInt8] {
        [0x23] + [UInt8](repeating: 0, count: 39) + stamp(unixNanoseconds)
    }

    /// The answer of whoever keeps the time; nil if the bytes are no request.
    public static func answer(to request: [UInt8], unixNanoseconds: Int64) -> [UInt8]? {
        guard request.count == bytes, request[0] & 7 == 3 else { return nil }
        let now = stamp(unixNanoseconds)
        let head: [UInt8] = [0x24, 2, 6, 0xEC] + [UInt8](repeating: 0, count: 8) + Array("ORRY".utf8)
        return head + now + request[40..<48] + now + now
    }

    public static func isRequest(_ datagram: [UInt8]) -> Bool { datagram.count == bytes && datagram[0] & 7 == 3 }

    /// Unix nanoseconds in an answer to this request; nil if it is none, or by nobody who is synchronised.
    public static func time(in answer: [UInt8], to request: [UInt8]) -> Int64? {
        guard answer.count == bytes, request.count == bytes, answer[0] & 7 == 4, (1...15).contains(answer[1]),
            answer[24..<32] == request[40..<48]
        else { return nil }
        let word = answer[40..<48].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (Int64(word >> 32) - era) * 1_000_000_000 + Int64(((word & 0xFFFF_FFFF) * 1_000_000_000) >> 32)
    }

    /// The time stamp of the request that an answer is to: nobody who has not seen the request knows it.
    public static func origin(of answer: [UInt8]) -> [UInt8]? { answer.count == bytes ? Array(answer[24..<32]) : nil }

    /// An answer that tells another time.
    public static func restamped(_ answer: [UInt8], unixNanoseconds: Int64) -> [UInt8] {
        guard answer.count == bytes, answer[0] & 7 == 4 else { return answer }
        let time = stamp(unixNanoseconds)
        return answer[..<16] + time + answer[24..<32] + time + time
    }

    private static func stamp(_ unixNanoseconds: Int64) -> [UInt8] {
        let time = UInt64(max(0, unixNanoseconds))
        let word = (time / 1_000_000_000 &+ UInt64(era)) << 32 | ((time % 1_000_000_000) << 32) / 1_000_000_000
        return (0..<8).reversed().map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }
}
