import Catalogue
import Wire
import Yams

/// Wire has nodes too: those of the network.
typealias YAMLNode = Yams.Node

/// Something wrong with a file, where it stands, and what would be right.
public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var column: Int
    public var message: String

    public var description: String { "\(file):\(line):\(column): \(message)" }
}

/// A YAML file read strictly: every problem is kept with its place, and reading goes on.
final class Document {
    let file: String
    let root: YAMLNode?
    private(set) var problems: [Problem] = []

    init(file: String, text: String) {
        self.file = file
        do {
            try DocumentBudget.check(text)
            root = try compose(yaml: text)
            if root == nil { problems.append(Problem(file: file, line: 1, column: 1, message: "the file is empty")) }
        } catch {
            root = nil
            problems.append(Document.problem(file, error))
        }
    }

    private static func problem(_ file: String, _ error: any Error) -> Problem {
        if let excess = error as? DocumentBudget.Excess {
            return Problem(file: file, line: excess.line, column: excess.column, message: excess.message)
        }
        switch error as? YamlError {
        case .scanner(_, let text, let mark, _)?, .parser(_, let text, let mark, _)?, .composer(_, let text, let mark, _)?:
            return Problem(file: file, line: mark.line, column: mark.column, message: text)
        case .duplicatedKeysInMapping(let duplicates, let context)?:
            let mark = context.mark
            return Problem(
                file: file, line: mark.line, column: mark.column,
                message: "duplicate name '\(duplicates.map { "\($0)" }.sorted().joined(separator: "', '"))'")
        default: return Problem(file: file, line: 1, column: 1, message: "\(error)")
        }
    }

    /// A path that the file names: from the folder that it lies in.
    func path(_ relative: String) -> String {
        let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return relative.hasPrefix("/") || folder.isEmpty ? relative : "\(folder)/\(relative)"
    }

    func report(_ node: YAMLNode?, _ message: String) {
        let mark = node?.mark
        problems.append(Problem(file: file, line: mark?.line ?? 1, column: mark?.column ?? 1, message: message))
    }

    /// A section with a fixed set of keys. Unknown ones are reported with the nearest known one.
    func section(_ node: YAMLNode?, _ name: String, keys: [String]) -> Section? {
        guard let node else { return nil }
        guard let mapping = node.mapping else {
            report(node, "\(name): expected a mapping with \(keys.joined(separator: ", "))")
            return nil
        }
        var fields: [String: YAMLNode] = [:]
        for (key, value) in mapping {
            let text = key.string ?? ""
            if keys.contains(text) {
                fields[text] = value
            } else {
                report(key, "unknown key '\(text)' in \(name)\(suggestion(text, among: keys))")
            }
        }
        return Section(document: self, node: node, name: name, fields: fields)
    }

    /// Entries under names that the user chooses, in the order of the file.
    func named(_ node: YAMLNode?, _ name: String) -> [(name: String, key: YAMLNode, value: YAMLNode)] {
        guard let node else { return [] }
        guard let mapping = node.mapping else {
            report(node, "\(name): expected a mapping of names")
            return []
        }
        return mapping.compactMap { key, value in
            let text = key.string ?? ""
            guard isName(key, text) else { return nil }
            return (text, key, value)
        }
    }

    /// One grammar for the names of devices, networks, products, groups, apps, gateways, catalogs and runs; what is wrong with one is
    /// reported.
    @discardableResult func isName(_ node: YAMLNode?, _ text: String) -> Bool {
        guard let mistake = NameGrammar.mistake(in: text) else { return true }
        report(node, mistake)
        return false
    }

    func suggestion(_ word: String, among words: [String]) -> String {
        let ranked = words.map { (distance(word, $0), $0) }.sorted { $0 < $1 }
        if let (best, nearest) = ranked.first, best <= max(2, word.count / 3) { return "; did you mean '\(nearest)'?" }
        return "; expected one of \(words.joined(separator: ", "))"
    }

    /// Levenshtein's edit distance.
    private func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a), Array(b))
        var row = Array(0...b.count)
        for i in 0..<a.count {
            var previous = row[0]
            row[0] = i + 1
            for j in 0..<b.count {
                let cost = a[i] == b[j] ? previous : 1 + min(previous, row[j], row[j + 1])
                previous = row[j + 1]
                row[j + 1] = cost
            }
        }
        return row[b.count]
    }
}

/// The fields of one section, read by kind. A missing or wrong field is reported and nil.
struct Section {
    let document: Document
    let node: YAMLNode
    let name: String
    let fields: [String: YAMLNode]

    func has(_ key: String) -> Bool { fields[key] != nil }

    func required(_ key: String) -> YAMLNode? {
        if let field = fields[key] { return field }
        document.report(node, "\(name): '\(key)' is missing")
        return nil
    }

    func text(_ key: String, isRequired: Bool = false) -> String? {
        guard let field = isRequired ? required(key) : fields[key] else { return nil }
        if let text = field.scalar?.string { return text }
        document.report(field, "\(key): expected a word")
        return nil
    }

    /// One of a fixed set of words.
    func word<T: RawRepresentable & CaseIterable>(_ key: String, of type: T.Type) -> T? where T.RawValue == String {
        guard let text = text(key) else { return nil }
        if let value = T(rawValue: text) { return value }
        document.report(fields[key], "unknown \(key) '\(text)'\(document.suggestion(text, among: T.allCases.map(\.rawValue)))")
        return nil
    }

    /// A word of a list that is known only when the file is read.
    func word(_ key: String, among words: [String]) -> String? {
        guard let text = text(key) else { return nil }
        if words.contains(text) { return text }
        document.report(fields[key], "unknown \(key) '\(text)'\(document.suggestion(text, among: words))")
        return nil
    }

    /// One word or a list of words.
    func words(_ key: String) -> [(text: String, node: YAMLNode)] {
        guard let field = fields[key] else { return [] }
        if let text = field.scalar?.string { return [(text, field)] }
        guard let sequence = field.sequence else {
            document.report(field, "\(key): expected a word or a list of words")
            return []
        }
        return sequence.compactMap { item in
            guard let text = item.scalar?.string else {
                document.report(item, "\(key): expected a word")
                return nil
            }
            return (text, item)
        }
    }

    func count(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let field = fields[key] else { return nil }
        if let number = field.scalar.flatMap({ Int($0.string) }), range.contains(number) { return number }
        document.report(field, "\(key): expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    func seed(_ key: String) -> UInt64? {
        guard let field = fields[key] else { return nil }
        if let number = field.scalar.flatMap({ UInt64($0.string) }) { return number }
        document.report(field, "\(key): expected a whole number from 0 to 18446744073709551615")
        return nil
    }

    func duration(_ key: String, isRequired: Bool = false) -> Duration? {
        guard let field = isRequired ? required(key) : fields[key] else { return nil }
        return read(field, key, .duration).flatMap {
            if case .nanoseconds(let n) = $0 { .nanoseconds(n) } else { nil }
        }
    }

    /// A pause that something is repeated after: too short a one would never let time go on.
    func duration(_ key: String, atLeast least: Duration) -> Duration? {
        guard let duration = duration(key) else { return nil }
        if duration < least { document.report(fields[key], "\(key): at least \(readable(least))") }
        return duration
    }

    func ratio(_ key: String) -> Double? {
        fields[key].flatMap { read($0, key, .ratio) }.flatMap { if case .ratio(let r) = $0 { r } else { nil } }
    }

    func bitsPerSecond(_ key: String) -> Int64? {
        fields[key].flatMap { read($0, key, .rate) }.flatMap { if case .bitsPerSecond(let r) = $0 { r } else { nil } }
    }

    func quantity(_ key: String, _ kind: QuantityKind) -> Quantity? { required(key).flatMap { read($0, key, kind) } }

    private func read(_ field: YAMLNode, _ key: String, _ kind: QuantityKind) -> Quantity? {
        guard let text = field.scalar?.string else {
            document.report(field, "\(key): expected \(kind.example)")
            return nil
        }
        switch Quantity.parse(text, kind) {
        case .success(let quantity): return quantity
        case .failure(let why):
            document.report(field, "\(key): \(why.message)")
            return nil
        }
    }
}
