import Foundation
public import Judging
public import Planning
import SecureChannel
import Wire

/// What goes wrong outside a run's own logic, in words for the person at the terminal.
public struct RunError: Error, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}

/// `runs/<name>/<time>-s<seed>/`: plan, journal, metrics, report, logs, state.
public struct RunFolder: Sendable {
    public let path: String

    public init(base: String, plan: Plan) throws {
        let format = Date.ISO8601FormatStyle().year().month().day().dateSeparator(.omitted)
            .time(includingFractionalSeconds: false).timeSeparator(.omitted)
        let stamp = Date().formatted(format)
        let parent = "\(base)/\(plan.name)"
        var candidate = "\(parent)/\(stamp)-s\(plan.seed)"
        var attempt = 2
        while FileManager.default.fileExists(atPath: candidate) {
            candidate = "\(parent)/\(stamp)-s\(plan.seed)-\(attempt)"
            attempt += 1
        }
        path = candidate
        // Where runs go is the caller's choice.
        do { try RunFolder.make(path + "/logs") } catch let error as RunError { throw FileRefused(description: error.description) }
        try RunFolder.make(path + "/state")
        let latest = parent + "/latest"
        try? FileManager.default.removeItem(atPath: latest)
        try? FileManager.default.createSymbolicLink(
            atPath: latest, withDestinationPath: String(candidate.split(separator: "/").last ?? ""))
    }

    /// A folder that exists.
    public init(existing path: String) { self.path = path }

    public var planPath: String { path + "/plan.json" }
    public var journalPath: String { path + "/journal.ndjson" }
    public var resultPath: String { path + "/metrics.json" }
    public func log(_ process: String) -> String { "\(path)/logs/\(process).log" }
    /// Where a node's configuration lies.
    public func configuration(of node: String) -> String { state(node) + "/node.json" }
    public var stateFolder: String { path + "/state" }
    public func state(_ node: String) -> String { "\(stateFolder)/\(node)" }

    public static func make(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw RunError("cannot make the folder \(path): \(error.localizedDescription)")
        }
    }

    public static func write(_ bytes: [UInt8], _ path: String) throws {
        do { try Data(bytes).write(to: URL(fileURLWithPath: path)) } catch {
            throw RunError("cannot write \(path): \(error.localizedDescription)")
        }
    }

    public static func writeJSON(_ value: some Encodable, _ path: String) throws {
        try write(Array(try JSON.pretty(value).utf8), path)
    }

    public func readPlan() throws -> Plan {
        guard let data = FileManager.default.contents(atPath: planPath) else {
            throw RunError("\(path) is not the folder of a run: it has no plan.json")
        }
        try SchemaCheck.check(data, planPath, "plan", is: Schema.plan)
        do {
            let plan = try JSONDecoder().decode(Plan.self, from: data)
            if let mistake = plan.outOfRange { throw FileRefused(description: "\(planPath): \(mistake)") }
            return plan
        } catch let error as DecodingError {
            throw FileRefused(description: "\(planPath) is not as a plan is written: \(JSON.reason(error))")
        }
    }

    /// SHA-256 of plan.json as it is; nil if there is none.
    public var planDigest: String? { FileManager.default.contents(atPath: planPath).map { sha256(Array($0)).hex } }

    /// Whether the plan is another than the run had; false where the run's files do not say.
    public var hasOtherPlan: Bool {
        guard let data = FileManager.default.contents(atPath: resultPath) else { return false }
        let written = try? JSONDecoder().decode(MetricsFile.Made.self, from: data)
        return written?.planDigest.map { $0 != planDigest } ?? false
    }

    public func readReport() throws -> Report {
        guard let data = FileManager.default.contents(atPath: resultPath) else {
            throw RunError("\(path) has no metrics.json: did its run end?")
        }
        try SchemaCheck.check(data, resultPath, "metrics", is: Schema.metrics)
        do { return try JSONDecoder().decode(Report.self, from: data) } catch let error as DecodingError {
            throw FileRefused(description: "\(resultPath) is not as a run writes it: \(JSON.reason(error))")
        }
    }
}
