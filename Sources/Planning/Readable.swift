import Catalogue
import Wire

/// Times as people write them: `26h`, `8ms`, `1.5s`.
public func readable(_ duration: Duration) -> String {
    let nanoseconds = Double(duration.nanoseconds)
    for (unit, scale) in [("h", 3600e9), ("m", 60e9), ("s", 1e9), ("ms", 1e6), ("us", 1e3)]
    where abs(nanoseconds) >= scale {
        let value = (nanoseconds / scale * 10).rounded() / 10
        return value == value.rounded() ? "\(Int(value))\(unit)" : "\(value)\(unit)"
    }
    return "\(Int(nanoseconds))ns"
}

extension Plan {
    /// A time with its unit, such as `10m`; nil for anything else.
    public static func duration(_ text: String) -> Duration? {
        if case .success(.nanoseconds(let n)) = Quantity.parse(text, .duration) { .nanoseconds(n) } else { nil }
    }
}

/// A share as people read it: `99.5 %`.
public func percent(_ ratio: Double) -> String {
    let value = (ratio * 1000).rounded() / 10
    return value == value.rounded() ? "\(Int(value)) %" : "\(value) %"
}

extension String {
    public func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    public func left(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
