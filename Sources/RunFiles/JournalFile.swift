import Foundation
import SecureChannel
public import Wire

/// Reads a journal back, so that old runs can be judged again.
public enum JournalFile {
    private static let pieceBytes = 1 << 20

    /// - Returns: What stands in it, and its SHA-256 in hex.
    public static func read(_ path: String) throws -> (journal: ObservationLog, digest: String) {
        guard let file = FileHandle(forReadingAtPath: path) else { throw RunError("cannot read \(path)") }
        let (kept, digest) = (try KeptObservations(), SHA256Stream())
        var (rest, number) = (Data(), 0)
        func take(_ line: Data) throws {
            number += 1
            guard !line.isEmpty else { return }
            guard number > 1 else { return try SchemaCheck.check(line, path, "journal", is: Schema.journal) }
            guard let observation = parse(line) else { throw FileRefused(description: "\(path):\(number): not an observation") }
            try kept.append([observation])
        }
        while let piece = try piece(of: file, path) {
            digest.update(Array(piece))
            var lines = (rest + piece).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            rest = Data(lines.removeLast())
            for line in lines { try take(Data(line)) }
        }
        try take(rest)
        if number == 1, rest.isEmpty { try SchemaCheck.check(Data(), path, "journal", is: Schema.journal) }
        return (kept.log, digest.finish().hex)
    }

    private static func piece(of file: FileHandle, _ path: String) throws -> Data? {
        let data: Data?
        do { data = try file.read(upToCount: pieceBytes) } catch { throw RunError("cannot read \(path)") }
        return data?.isEmpty == false ? data : nil
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
