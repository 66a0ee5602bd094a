/// What a fault or an attack may be told beside its time and targets.
public struct Parameter: Sendable, Equatable {
    public var name: String
    public var kind: QuantityKind
    public var isRequired: Bool
    /// Of a duration.
    public var least: Duration?
    public var leastCount: Int64?
    public var mostCount: Int64?
    public init(
        _ name: String, _ kind: QuantityKind, isRequired: Bool = true, least: Duration? = nil, leastCount: Int64? = nil,
        mostCount: Int64? = nil
    ) {
        self.mostCount = mostCount
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.least = least
        self.leastCount = leastCount
    }
}

public enum QuantityKind: Sendable, Equatable {
    case duration, ratio, rate, count
    /// A time that may be negative.
    case offset
    /// One of these.
    case word([String])

    public var name: String {
        switch self {
        case .duration: "duration"
        case .ratio: "ratio"
        case .rate: "rate"
        case .count: "count"
        case .offset: "offset"
        case .word(let words): words.joined(separator: "|")
        }
    }
}

/// A number with its unit, as it stands in a campaign file.
public enum Quantity: Sendable, Equatable, Codable {
    case nanoseconds(Int64)
    case ratio(Double)
    case bitsPerSecond(Int64)
    case count(Int64)
    case word(String)
}
