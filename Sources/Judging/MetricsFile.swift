public import Planning
import Wire

/// `metrics.json`: a report, and what it was made of.
public struct MetricsFile: Encodable {
    private enum Key: String, CodingKey {
        case schema, provenance
        case planDigest = "plan_sha256"
    }
    /// What is read back beside the report.
    public struct Made: Decodable {
        public var planDigest: String?
        public init(from decoder: any Decoder) throws {
            planDigest = try decoder.container(keyedBy: Key.self).decodeIfPresent(String.self, forKey: .planDigest)
        }
    }

    let report: Report
    let provenance: Provenance?
    /// SHA-256 of plan.json.
    let planDigest: String?

    public init(report: Report, provenance: Provenance?, planDigest: String?) {
        (self.report, self.provenance, self.planDigest) = (report, provenance, planDigest)
    }

    /// As it is written.
    public var json: String { (try? JSON.pretty(self)) ?? "" }

    public func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(Schema.metrics, forKey: .schema)
        try container.encodeIfPresent(provenance, forKey: .provenance)
        try container.encodeIfPresent(planDigest, forKey: .planDigest)
    }
}
