/// A slow link: bytes queue behind each other at this rate.
public struct BandwidthFault: NetworkFault {
    public let bitsPerSecond: Int64
    public init(bitsPerSecond: Int64) { self.bitsPerSecond = bitsPerSecond }
    public func apply(to conditions: inout LinkConditions) {
        conditions.bitsPerSecond = min(conditions.bitsPerSecond ?? bitsPerSecond, bitsPerSecond)
    }
}
