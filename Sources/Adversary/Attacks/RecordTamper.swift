public import Catalogue
import Fabric
import Wire

extension AttackName { public static let recordTamper = AttackName("record-tamper") }

/// Changes bytes of what the targets send, in flight: a digit of readable text, or a byte deep in a TLS record.
final class RecordTamper: Attack, Tap {
    static let description = AttackDescription(
        name: .recordTamper,
        summary: "changes bytes of what the targets send, in flight",
        mechanism:
            "One bit deep in a TLS record, or a digit of readable text, is changed in everything that the targets send.",
        needs: "a position on the targets' path",
        oracle: "a request that was changed on the way is answered with success",
        techniques: ["T0832 Manipulation of View"], threats: ["TID-406", "TID-408"],
        controls: [.transportEncryption], rules: [.authenticationFailures, .silence])

    private let targets: Set<String>
    private var changed: Set<Int> = []
    private var reported = 0

    /// Enough of them for the journal.
    private static let reportLimit = 20

    init(_ step: Step) { targets = Set(step.nodes) }

    func apply(_ arena: inout Arena) { arena.tap(self) }
    func recover(_ arena: inout Arena) { arena.untap() }

    func inspect(_ passage: inout Passage, now: Instant) {
        guard case .data(var bytes) = passage.content else { return }
        if targets.contains(passage.from) {
            guard let place = RecordTamper.place(in: bytes) else { return }
            bytes[place] ^= 0x01
            passage.content = .data(bytes)
            if changed.insert(passage.stream).inserted, reported < RecordTamper.reportLimit {
                reported += 1
                passage.facts.append(
                    Fact(
                        .attackStep,
                        [.step: "byte changed", .target: .text(passage.from), .peer: .text(passage.to ?? "")]))
            }
        } else if changed.contains(passage.stream), RecordTamper.isSuccess(bytes) {
            changed.remove(passage.stream)
            passage.facts.append(
                Fact(
                    .attackSucceeded,
                    [
                        .target: .text(passage.to ?? ""), .peer: .text(passage.from),
                        .evidence: "an altered request was answered with success",
                    ]))
        }
    }

    /// The last digit of readable text, or the middle of a record of TLS application data.
    private static func place(in bytes: [UInt8]) -> Int? {
        if bytes.count > 5, (20...23).contains(bytes[0]), bytes[1] == 3 {
            return bytes[0] == 23 ? 5 + (bytes.count - 5) / 2 : nil
        }
        return bytes.lastIndex { (48...57).contains($0) }
    }

    private static func isSuccess(_ bytes: [UInt8]) -> Bool { bytes.starts(with: Array("HTTP/1.1 2".utf8)) }
}
