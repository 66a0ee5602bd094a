/// What a YAML file may ask of its reader, looked at before it is parsed: keys that are collections are hashed anew on each level, and
/// aliases multiply what they stand for, so that a few lines could keep a parser busy for ever. No topology needs either.
struct DocumentBudget {
    struct Excess: Error, Equatable {
        var line: Int
        var column: Int
        var message: String
    }

    private static let mostBytes = 1 << 20
    private static let deepest = 8
    private static let mostAliases = 256

    private var line = 1
    private var column = 0
    private var depth = 0
    private var aliases = 0
    /// The last character that is no space, on this line.
    private var before: UInt8?
    private var quote: UInt8?
    private var isComment = false

    static func check(_ text: String) throws(Excess) {
        let bytes = Array(text.utf8)
        guard bytes.count <= mostBytes else { throw Excess(line: 1, column: 1, message: "the file is longer than 1 MiB") }
        var budget = DocumentBudget()
        for index in bytes.indices { try budget.take(bytes, index) }
    }

    private mutating func take(_ bytes: [UInt8], _ index: Int) throws(Excess) {
        let byte = bytes[index]
        column += 1
        if byte == UInt8(ascii: "\n") {
            // A quote that is open here may be none (in a block of text): what follows is looked at all the same.
            (line, column, isComment, quote, before) = (line + 1, 0, false, nil, nil)
            return
        }
        if isComment { return }
        if let open = quote {
            let escapes = bytes[..<index].reversed().prefix { $0 == UInt8(ascii: "\\") }.count
            let isEscaped = open == UInt8(ascii: "\"") && escapes % 2 == 1
            if byte == open, !isEscaped { (quote, before) = (nil, byte) }
            return
        }
        let isAfterSpace = index == 0 || " \t\n".utf8.contains(bytes[index - 1])
        // Where a scalar would begin; inside of one, none of these has a meaning.
        let isStart = before.map { "[{,:-?".utf8.contains($0) } ?? true
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): return
        case UInt8(ascii: "#") where isAfterSpace:
            isComment = true
            return
        case UInt8(ascii: "\""), UInt8(ascii: "'"): if isStart { quote = byte }
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            depth += 1
            guard depth <= DocumentBudget.deepest else { throw excess("nested more than \(DocumentBudget.deepest) deep") }
        case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
        case UInt8(ascii: "?") where isStart && isEnd(bytes, index + 1): throw excess("a key is a word")
        case UInt8(ascii: "*") where isStart: try takeAlias(bytes, index)
        default: break
        }
        before = byte
    }

    /// An alias may stand for a whole value: not for a key, and not for a part of a list.
    private mutating func takeAlias(_ bytes: [UInt8], _ index: Int) throws(Excess) {
        aliases += 1
        guard aliases <= DocumentBudget.mostAliases else { throw excess("more than \(DocumentBudget.mostAliases) aliases") }
        var end = index + 1
        while !isEnd(bytes, end), bytes[end] != UInt8(ascii: ",") { end += 1 }
        while end < bytes.count, bytes[end] == UInt8(ascii: " ") { end += 1 }
        let isKey = end < bytes.count && bytes[end] == UInt8(ascii: ":")
        guard depth == 0, !isKey, before != nil else { throw excess("an alias can only stand for a whole value") }
    }

    private func isEnd(_ bytes: [UInt8], _ index: Int) -> Bool { index >= bytes.count || " \t\r\n".utf8.contains(bytes[index]) }

    private func excess(_ message: String) -> Excess { Excess(line: line, column: column, message: message) }
}
