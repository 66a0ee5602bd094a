public import Judging
public import Planning
import Wire

/// A line for each attack on each of its targets.
enum VerdictsCSV: ReportFormat {
    static let name = "verdicts-csv"
    static let summary = "a line for each attack on each target"
    static let fileName: String? = "verdicts.csv"
    static func write(_ source: ReportSource) throws -> String { source.report.verdictsCSV }
}

/// A line for each device.
enum DevicesCSV: ReportFormat {
    static let name = "csv"
    static let summary = "a line for each device"
    static let fileName: String? = "devices.csv"
    static func write(_ source: ReportSource) throws -> String { source.report.csv(devices: source.plan.devices) }
}

extension Report {
    /// One line for each device (RFC 4180): what a spreadsheet wants.
    public func csv(devices: [Plan.Device]) -> String {
        var lines = ["device,product,network,availability_ratio,room_max_celsius,room_too_warm_seconds"]
        for device in devices {
            let room = metrics.rooms[device.name]
            lines.append(
                [
                    device.name, device.product, device.network, metrics.availability[device.name].map { "\($0)" } ?? "",
                    room.map { "\(Double($0.maximumMillicelsius) / 1000)" } ?? "", room.map { "\($0.tooWarmSeconds)" } ?? "",
                ].map(CSV.field).joined(separator: ","))
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// One line for each attack on each of its targets (RFC 4180), with what shows how it ended.
    public var verdictsCSV: String {
        var lines = [
            "step,attack,target,outcome,attempts,witness_node,witness_kind,witness_code,witness_seconds,own_alerts,noticed_after_seconds"
        ]
        for verdict in verdicts {
            let noticed = verdict.detectedAfterNanoseconds.map { "\(Double($0) / 1e9)" } ?? ""
            for target in verdict.targets {
                let witness = target.witness
                let seconds = witness.map { "\(Double($0.at.nanoseconds) / 1e9)" } ?? ""
                lines.append(
                    [
                        verdict.step, verdict.attack, target.name, target.outcome.rawValue, "\(target.attempts)", witness?.node ?? "",
                        witness?.kind ?? "", witness?.code ?? "", seconds, "\(verdict.alerts)", noticed,
                    ].map(CSV.field).joined(separator: ","))
            }
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }
}

/// Tables for spreadsheets (RFC 4180).
enum CSV {
    static func text(_ lines: [[String]]) -> String {
        lines.map { $0.map(field).joined(separator: ",") }.joined(separator: "\r\n") + "\r\n"
    }

    static func field(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }
}
