/// How long this silicon takes for each cryptographic operation, in virtual time.
///
/// Defaults are our estimate for a 500 MHz Cortex-A7 beside an accelerator; no figure for the MT3620 is public.
public struct CryptoCost: Sendable, Equatable, Codable {
    public var signNanoseconds: Int64
    public var verifyNanoseconds: Int64
    public var agreeNanoseconds: Int64

    public init(signNanoseconds: Int64, verifyNanoseconds: Int64, agreeNanoseconds: Int64) {
        self.signNanoseconds = signNanoseconds
        self.verifyNanoseconds = verifyNanoseconds
        self.agreeNanoseconds = agreeNanoseconds
    }

    public static let microcontroller = CryptoCost(
        signNanoseconds: 6_000_000, verifyNanoseconds: 9_000_000, agreeNanoseconds: 7_000_000)
    public static let server = CryptoCost(
        signNanoseconds: 20_000, verifyNanoseconds: 60_000, agreeNanoseconds: 40_000)
}
