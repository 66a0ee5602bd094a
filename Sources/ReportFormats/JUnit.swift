public import Judging
import Planning
import Wire

/// For CI servers.
enum JUnitXML: ReportFormat {
    static let name = "junit"
    static let summary = "JUnit XML, for CI servers"
    static let fileName: String? = "junit.xml"
    static func write(_ source: ReportSource) throws -> String { source.report.junit }
}

extension Report {
    /// JUnit XML: a test case for each expectation, so that a CI server shows what broke.
    public var junit: String {
        let failures = judgements.count { $0.result == .broken }
        let skipped = judgements.count { $0.result == .unknown }
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
        lines.append(
            "<testsuite name=\"\(escaped(name))\" tests=\"\(judgements.count)\" failures=\"\(failures)\" skipped=\"\(skipped)\">")
        lines.append("  <properties>")
        for (key, value) in [("seed", "\(seed)"), ("clock", clock.rawValue), ("digest", digest)] {
            lines.append("    <property name=\"\(key)\" value=\"\(value)\"/>")
        }
        // An attack of which nothing is expected is no test, but how it ended is known.
        for verdict in verdicts {
            for target in verdict.targets {
                let name = escaped("\(verdict.attack) (\(verdict.step)) on \(target.name)")
                lines.append("    <property name=\"\(name)\" value=\"\(target.outcome.rawValue)\"/>")
            }
        }
        lines.append("  </properties>")
        for judgement in judgements {
            let head = "  <testcase classname=\"\(escaped(name))\" name=\"\(escaped(judgement.text))\""
            switch judgement.result {
            case .held: lines.append(head + "/>")
            case .broken: lines.append(head + "><failure message=\"\(escaped(judgement.reason))\"/></testcase>")
            case .unknown: lines.append(head + "><skipped message=\"\(escaped(judgement.reason))\"/></testcase>")
            }
        }
        return (lines + ["</testsuite>"]).joined(separator: "\n") + "\n"
    }
}

/// Text inside XML or HTML.
public func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
}
