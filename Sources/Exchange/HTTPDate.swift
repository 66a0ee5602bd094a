import FoundationEssentials

/// The preferred form of a date in HTTP (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
public enum HTTPDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    /// - Parameter unixSeconds: From 1970 to 9999; what lies outside is shown as the nearest of these.
    public static func text(_ unixSeconds: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(min(max(unixSeconds, 0), 253_402_300_799)))
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second, .weekday], from: date)
        func digits(_ number: Int?, _ count: Int = 2) -> String {
            let text = String(number ?? 0)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return "\(weekdays[(parts.weekday ?? 1) - 1]), \(digits(parts.day)) \(months[(parts.month ?? 1) - 1]) \(digits(parts.year, 4)) "
            + "\(digits(parts.hour)):\(digits(parts.minute)):\(digits(parts.second)) GMT"
    }
}
