import Judging
import Planning
import Wire

/// How releases spread: the share of devices that run each, over time.
struct HTMLUpdates {
    let report: Report
    let end: Int64

    private static let left = 60.0
    private static let width = 1000.0
    private static let height = 180.0
    private static let colours = ["#2f6fab", "#b3541e", "#1d7f4e", "#7a4fa3", "#8a6100", "#33475b"]

    private func x(_ at: Instant) -> Double {
        Self.left + (Self.width - Self.left - 10) * Double(min(at.nanoseconds, end)) / Double(max(1, end))
    }

    private func y(_ share: Double) -> Double { 10 + Self.height * (1 - share) }

    var svg: String {
        guard !report.releases.isEmpty, end > 0 else { return "" }
        var body = ""
        for share in [0, 0.5, 0.9, 1] {
            body += "<line x1=\"\(Self.left)\" x2=\"\(Self.width - 10)\" y1=\"\(y(share))\" y2=\"\(y(share))\" stroke=\"#d9e0e7\"/>"
            body += "<text class=\"soft\" x=\"\(Self.left - 8)\" y=\"\(y(share) + 4)\" text-anchor=\"end\">\(percent(share))</text>"
        }
        for (index, release) in report.releases.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            body += "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" points=\"\(points(release))\"/>"
        }
        for mark in 0...6 {
            let at = Instant(nanoseconds: end / 6 * Int64(mark))
            let anchor = mark == 0 ? "start" : mark == 6 ? "end" : "middle"
            let text = mark == 0 ? "0" : readable(at - .start)
            body += "<text class=\"soft\" x=\"\(x(at))\" y=\"\(Self.height + 28)\" text-anchor=\"\(anchor)\">\(text)</text>"
        }
        return
            "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height) + 36)\" role=\"img\">\(body)</svg><p class=\"legend\">\(legend)</p>"
    }

    /// Stairs: a share holds until the next device changes.
    private func points(_ release: ReleaseMetrics) -> String {
        guard release.devices > 0 else { return "" }
        var share = 0.0
        var points: [String] = []
        func point(_ at: Instant) { points.append("\((x(at) * 10).rounded() / 10),\((y(share) * 10).rounded() / 10)") }
        for change in release.changes {
            point(change.at)
            share += Double(change.change) / Double(release.devices)
            point(change.at)
        }
        point(Instant(nanoseconds: end))
        return points.joined(separator: " ")
    }

    private var legend: String {
        report.releases.enumerated().map { index, release in
            "<span style=\"color:\(Self.colours[index % Self.colours.count])\">▬</span> \(escaped(release.title))"
        }.joined(separator: " &nbsp; ")
    }

    /// Title, devices, times to shares, exposure, reverts, rollout.
    var rows: [[String]] {
        report.releases.map { release in
            [escaped(release.title), "\(release.installed) of \(release.devices)"]
                + release.reached.map { $0.afterNanoseconds.map { readable(.nanoseconds($0)) } ?? "–" }
                + ["\(release.exposureDeviceHours)", "\(release.reverted)", escaped(release.rolloutWords)]
        }
    }

    static let head = [
        "Release", "Installed", "to 50 %", "to 90 %", "to 99 %", "to 100 %", "Exposed, device-hours", "Went back", "Rollout",
    ]
}
