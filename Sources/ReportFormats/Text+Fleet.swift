import Judging
import Planning
import Wire

/// Who is still there, who has followed, and what ran out.
extension Report {
    var fleetLines: [String] {
        var lines: [String] = []
        if let rotations, !rotations.isEmpty {
            lines.append("\n" + "Rotations".padded(42) + "followed".left(10) + "last after".left(12))
            for rotation in rotations {
                let last = rotation.lastNanoseconds.map { readable(.nanoseconds($0)) } ?? "–"
                let missing = rotation.missing.isEmpty ? "" : "  not: \(rotation.missing.joined(separator: ", "))"
                lines.append(
                    "  \(rotation.title) (\(rotation.step))".padded(42) + "\(rotation.followed)/\(rotation.devices)".left(10)
                        + last.left(12)
                        + missing)
            }
        }
        for lapse in lapses ?? [] {
            let what = lapse.role == "service" ? "the service's own certificate" : "the catalog's authority"
            let until = lapse.to.map { "a new one \(readable($0 - lapse.from)) later" } ?? "and no new one until the end"
            lines.append("Ran out".padded(28) + "\(what) at \(readable(lapse.from - .start)), \(until)")
        }
        guard let fleetEnd, !fleetEnd.absent.isEmpty || rotations?.isEmpty == false else { return lines }
        lines.append("\n" + "Fleet at the end".padded(28) + "\(fleetEnd.present) of \(fleetEnd.devices.count) there")
        for device in fleetEnd.absent {
            let last = device.last.map { "there until \(readable($0 - .start))" } ?? "never there"
            let reason = device.reason.isEmpty ? "" : ": \(device.reason)"
            lines.append("  \(device.state.rawValue)".padded(14) + "\(device.name), \(last)\(reason)")
            if !device.remedy.isEmpty { lines.append("".padded(14) + device.remedy) }
        }
        return lines
    }
}
