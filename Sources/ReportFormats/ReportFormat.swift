public import Catalogue
public import Judging
public import Planning
public import Wire

/// What a report is written from.
public struct ReportSource {
    public var plan: Plan
    public var report: Report
    public var journal: ObservationLog
    public var catalogue: ActCatalogue
    /// SHA-256 of plan.json in hex; nil if there is none.
    public var planDigest: String?

    public init(plan: Plan, report: Report, journal: ObservationLog, catalogue: ActCatalogue, planDigest: String?) {
        self.plan = plan
        self.report = report
        self.journal = journal
        self.catalogue = catalogue
        self.planDigest = planDigest
    }
}

/// A form that reports can have, for people or for other tools.
public protocol ReportFormat: SendableMetatype {
    /// As `orrery report --format` has it.
    static var name: String { get }
    /// What it is, for the help.
    static var summary: String { get }
    /// What it is called in a run's folder; nil if runs do not write it.
    static var fileName: String? { get }
    static func write(_ source: ReportSource) throws -> String
}

/// The forms that there are. A new one is a file here and a word in this list.
public enum ReportFormats {
    public static let all: [any ReportFormat.Type] = [
        TextReport.self, HTMLReport.self, MetricsJSON.self, JUnitXML.self, OpenMetrics.self, DevicesCSV.self, VerdictsCSV.self,
        NavigatorLayer.self, STIXBundle.self,
    ]

    /// Nil if there is none of this name.
    public static func named(_ name: String) -> (any ReportFormat.Type)? { all.first { $0.name == name } }
}

/// `metrics.json`: everything, for programs.
enum MetricsJSON: ReportFormat {
    static let name = "json"
    static let summary = "metrics and verdicts"
    static let fileName: String? = "metrics.json"
    static func write(_ source: ReportSource) throws -> String {
        try JSON.pretty(MetricsFile(report: source.report, provenance: source.plan.provenance, planDigest: source.planDigest))
    }
}
