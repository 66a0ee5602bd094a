import Foundation
import Judging
import Planning
import ReportFormats
import Version
import Wire

/// A file that was not written for this version, in words for the person at the terminal.
struct FileRefused: Error, CustomStringConvertible {
    var description: String
}

/// Reads the number of a file's form before anything else of it.
enum SchemaCheck {
    private struct Head: Decodable { var schema: Int? }

    static func check(_ data: Data, _ path: String, _ kind: String, is wanted: Int) throws {
        guard let head = try? JSONDecoder().decode(Head.self, from: data) else {
            throw FileRefused(description: "\(path) is no \(kind): it is not JSON with a schema number")
        }
        let here = "this orrery (\(Version.described)) reads \(kind) schema \(wanted)"
        guard let schema = head.schema else {
            throw FileRefused(description: "\(path) has no schema number, so it is older than \(kind) schema 1; \(here). Run it anew.")
        }
        guard schema != wanted else { return }
        throw FileRefused(
            description: "\(path) is of \(kind) schema \(schema), which is \(schema < wanted ? "older" : "newer"); \(here). "
                + (schema < wanted ? "Run it anew." : "Use the orrery that wrote it, or a newer one."))
    }
}

/// `metrics.json`: a report, and what it was made of.
struct MetricsFile: Encodable {
    private enum Key: String, CodingKey {
        case schema, provenance
        case planDigest = "plan_sha256"
    }
    /// What is read back beside the report.
    struct Made: Decodable {
        var planDigest: String?
        init(from decoder: any Decoder) throws {
            planDigest = try decoder.container(keyedBy: Key.self).decodeIfPresent(String.self, forKey: .planDigest)
        }
    }

    let report: Report
    let provenance: Provenance?
    /// SHA-256 of plan.json.
    let planDigest: String?

    func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(Schema.metrics, forKey: .schema)
        try container.encodeIfPresent(provenance, forKey: .provenance)
        try container.encodeIfPresent(planDigest, forKey: .planDigest)
    }
}
