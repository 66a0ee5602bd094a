import Foundation
import Planning
import RunFiles
import Synchronization
import Wire

/// A live table of devices for runs that stay up.
final class LiveTable: RunWatcher {
    private struct Row {
        var state = "off"
        var accepted = 0
        var failed = 0
        var last = ""
    }

    private let rows = Mutex<[String: Row]>([:])

    func progress(_ now: Instant, of stop: Instant) {
        let rows = rows.withLock { $0 }
        var text = "\u{1B}[H\u{1B}[2J\(readable(now - .start)) up; Ctrl-C ends the run and writes its report\n\n"
        text += "device              state        exchanges   failed  last\n"
        for (name, row) in rows.sorted(by: { $0.key < $1.key }) {
            text += name.padding(toLength: 20, withPad: " ", startingAt: 0)
            text += row.state.padding(toLength: 13, withPad: " ", startingAt: 0)
            text += "\(row.accepted)".padding(toLength: 12, withPad: " ", startingAt: 0)
            text += "\(row.failed)".padding(toLength: 8, withPad: " ", startingAt: 0) + row.last + "\n"
        }
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }

    func observed(_ observations: [Observation]) {
        rows.withLock { rows in
            for observation in observations {
                let fact = observation.fact
                switch fact.kind {
                case .osReady: rows[observation.node, default: Row()].state = "running"
                case .certificateIssued, .certificateRestored: rows[observation.node, default: Row()].state = "attested"
                case .certificateExpired: rows[observation.node, default: Row()].state = "expired"
                case .processKilled, .processLost: rows[fact.text(.name) ?? "", default: Row()].state = "off"
                case .exchange:
                    let good = fact.text(.result) == "accepted"
                    rows[observation.node, default: Row()].accepted += good ? 1 : 0
                    rows[observation.node, default: Row()].failed += good ? 0 : 1
                    rows[observation.node]?.last = "\(fact.text(.operation) ?? "") \(fact.text(.peer) ?? "")"
                default: break
                }
            }
        }
    }

    func lost(_ process: String, _ end: String) { rows.withLock { $0[process, default: Row()].state = "lost" } }
}
