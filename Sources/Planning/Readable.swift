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

/// An amount of data as people read it: `1.5 MiB`.
public func readableBytes(_ count: Double) -> String {
    for (unit, scale) in [("GiB", 1_073_741_824.0), ("MiB", 1_048_576), ("KiB", 1024)] where count >= scale {
        return "\((count / scale * 10).rounded() / 10) \(unit)"
    }
    return "\(Int(count.rounded())) B"
}

/// Words after a label, in as many lines as they need below each other; a word that is longer than a line stays whole.
public func wrapped(_ text: String, after label: String, columns: Int = 120) -> [String] {
    var lines: [String] = []
    var line = label
    for word in text.split(separator: " ") {
        if line.count + word.count + 1 > columns, line.count > label.count {
            lines.append(line)
            line = String(repeating: " ", count: label.count)
        }
        line += line.count == label.count ? word : " \(word)"
    }
    return lines + [line]
}

extension String {
    public func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    public func left(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
