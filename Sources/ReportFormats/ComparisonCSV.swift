import Catalogue
public import Judging
import Planning
import Wire

/// A line for each attack on each kind of device, with what that kind cost in the whole run.
enum ComparisonCSV: ComparisonFormat {
    static let name = "csv"
    static let summary = "a line for each attack on each kind"
    static func write(_ comparison: KindComparison) throws -> String { comparison.csv }
}

extension KindComparison {
    /// RFC 4180. A campaign without attacks has a line for each kind; the columns of the attack are empty there.
    public var csv: String {
        let attack = [
            "step", "attack", "at_seconds", "differs", "verdict", "targets", "tried", "reached", "harmed", "noticed_after_seconds",
            "noticed_by", "disturbed", "recovered", "recovered_after_seconds", "target", "witness_node", "witness_kind",
            "witness_code", "witness_seconds", "reason", "made_without",
        ]
        let cost = ["devices", "cpu_seconds", "sent_bytes", "received_bytes", "erased_sectors", "programmed_bytes"]
        var lines = [["kind"] + attack + cost]
        for row in rows {
            for cell in row.cells { lines.append([cell.kind.rawValue] + words(row, cell) + words(costs.first { $0.kind == cell.kind })) }
        }
        if rows.isEmpty {
            lines += costs.map { [$0.kind.rawValue] + [String](repeating: "", count: attack.count) + words($0) }
        }
        return CSV.text(lines)
    }

    private func seconds(_ nanoseconds: Int64?) -> String { nanoseconds.map { "\(Double($0) / 1e9)" } ?? "" }

    private func words(_ row: Row, _ cell: Cell) -> [String] {
        let (reach, recovery, witness) = (cell.reach, cell.recovery, cell.proof?.witness)
        return [
            row.step, row.attack, seconds(row.at.nanoseconds), row.differs ? "yes" : "no", cell.outcome.rawValue, "\(reach.targets)",
            "\(reach.tried)", "\(reach.reached)", "\(reach.harmed)", seconds(cell.detectedAfterNanoseconds),
            cell.detectedBy?.rawValue ?? "",
            recovery.map { "\($0.disturbed)" } ?? "", recovery.map { "\($0.recovered)" } ?? "", seconds(recovery?.lastNanoseconds),
            cell.proof?.target ?? "", witness?.node ?? "", witness?.kind ?? "", witness?.code ?? "", seconds(witness?.at.nanoseconds),
            cell.proof?.reason ?? "", cell.madeWithout.joined(separator: " "),
        ]
    }

    private func words(_ cost: Cost?) -> [String] {
        guard let cost else { return [String](repeating: "", count: 6) }
        guard let use = cost.use else { return ["\(cost.devices)"] + [String](repeating: "", count: 5) }
        return [
            "\(cost.devices)", seconds(use.cpuNanoseconds), "\(use.sentBytes)", "\(use.receivedBytes)", "\(use.erasedSectors)",
            "\(use.programmedBytes)",
        ]
    }
}
