import Catalogue
import Wire

extension QuantityKind {
    var example: String {
        switch self {
        case .duration: "a time with its unit, such as 8ms, 5m or 26h"
        case .ratio: "a share with its unit, such as 0.5%"
        case .rate: "a rate with its unit, such as 20Mbit"
        case .count: "a whole number"
        case .offset: "a time with its unit and, for backwards, a minus, such as 2h or -30m"
        case .word(let words): "one of \(words.joined(separator: ", "))"
        }
    }

    fileprivate var units: [String: Double] {
        switch self {
        case .duration, .offset:
            ["ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9, "d": 86_400e9]
        case .ratio: ["%": 0.01]
        case .rate: ["bit": 1, "kbit": 1e3, "Mbit": 1e6, "Gbit": 1e9]
        case .count: ["": 1]
        case .word: [:]
        }
    }
}

extension Quantity {
    struct Mistake: Error { var message: String }

    /// About sixty years.
    static let longestNanoseconds = 2e18

    /// Reads a number with its unit. A bare number is refused: which unit was meant is not ours to guess.
    static func parse(_ text: String, _ kind: QuantityKind) -> Result<Quantity, Mistake> {
        if kind == .offset, text.hasPrefix("-"), !text.hasPrefix("--") {
            return parse(String(text.dropFirst()), kind).map { if case .nanoseconds(let value) = $0 { .nanoseconds(-value) } else { $0 } }
        }
        let digits = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Double(digits), number.isFinite else {
            return .failure(Mistake(message: "'\(text)' is not \(kind.example)"))
        }
        guard let scale = kind.units[String(unit)] else {
            let known = kind.units.keys.sorted().joined(separator: ", ")
            let what = unit.isEmpty ? "'\(text)' has no unit" : "unknown unit '\(unit)'"
            return .failure(Mistake(message: "\(what); expected \(kind.example) (units: \(known))"))
        }
        let value = number * scale
        // Times are added to each other: some of them must fit into 64 bits.
        let limit = kind == .duration || kind == .offset ? Quantity.longestNanoseconds : 9.2e18
        guard value < limit else { return .failure(Mistake(message: "'\(text)' is too large")) }
        switch kind {
        case .duration, .offset: return .success(.nanoseconds(Int64(value.rounded())))
        case .ratio:
            guard (0...1).contains(value) else { return .failure(Mistake(message: "'\(text)' is not from 0% to 100%")) }
            return .success(.ratio(value))
        case .rate:
            guard value >= 1 else { return .failure(Mistake(message: "'\(text)' is no rate")) }
            return .success(.bitsPerSecond(Int64(value)))
        case .count: return .success(.count(Int64(value)))
        case .word: return .failure(Mistake(message: "'\(text)' is a number"))
        }
    }
}
