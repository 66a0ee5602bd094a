import Foundation
import SecureChannel
public import Wire

/// Reads a journal back, so that old runs can be judged again.
public enum JournalFile {
    public static func read(_ path: String) throws -> (journal: [Observation], digest: String) {
        guard let data = FileManager.default.contents(atPath: path) else { throw RunError("cannot read \(path)") }
        var journal: [Observation] = []
        let lines = data.split(separator: UInt8(ascii: "\n"))
        try SchemaCheck.check(Data(lines.first ?? Data()), path, "journal", is: Schema.journal)
        for (number, line) in lines.enumerated().dropFirst() {
            guard let observation = parse(Data(line)) else { throw FileRefused(description: "\(path):\(number + 1): not an observation") }
            journal.append(observation)
        }
        return (journal, sha256(Array(data)).hex)
    }

    private static func parse(_ line: Data) -> Observation? {
        guard let fields = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
            let at = (fields["at_ns"] as? NSNumber)?.int64Value, let node = fields["node"] as? String,
            let kind = (fields["kind"] as? String).flatMap(Fact.Kind.init(rawValue:))
        else { return nil }
        var details: [Fact.Detail: Fact.Value] = [:]
        for (key, value) in fields where !["at_ns", "node", "kind"].contains(key) {
            guard let detail = Fact.Detail(rawValue: key) else { return nil }
            if let text = value as? String {
                details[detail] = .text(text)
            } else if let number = value as? NSNumber {
                details[detail] = .number(number.int64Value)
            }
        }
        return Observation(at: Instant(nanoseconds: at), node: node, sequence: 0, fact: Fact(kind, details))
    }
}
