/// Somebody at a UART who does what a file says, step by step, in virtual time:
///
///     at 100ms send "AT\r\n"     not before that instant
///     expect "OK" within 1s      waits for these bytes; what does not come is told, and the script goes on
///     wait 20ms
///     send 01 02 ff "text"       bytes in hexadecimal, and text with \r \n \t \0 \\ \" \xNN
///     # a comment
final class SerialScript: Attachment {
    private enum Step {
        case at(Int64)
        case wait(Int64)
        case send([UInt8])
        case expect([UInt8], within: Int64?)
    }

    private let steps: [Step]
    private var index = 0
    /// Since when the current step is the current one.
    private var since: Int64 = 0
    /// What was heard and not yet expected.
    private var heard: [UInt8] = []
    private var events: [String] = []
    private static let mostHeard = 4096
    private static let longestFile = 1 << 20

    init(path: String) throws(AttachmentError) {
        guard let text = BackingFile.readAll(path: path) else { throw AttachmentError("serial: cannot read the script \(path)") }
        guard text.count <= SerialScript.longestFile else { throw AttachmentError("serial: \(path) is longer than 1 MiB") }
        var steps: [Step] = []
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            do throws(AttachmentError) { steps += try SerialScript.steps(in: String(line)) } catch {
                throw AttachmentError("\(path):\(number + 1): \(error)")
            }
        }
        let times = steps.compactMap { if case .at(let time) = $0 { time } else { nil } }
        if let (later, earlier) = zip(times, times.dropFirst()).first(where: { $0 > $1 }) {
            throw AttachmentError("\(path): at \(earlier / 1_000_000)ms comes after at \(later / 1_000_000)ms: a script goes on in time")
        }
        self.steps = steps
    }

    // MARK: The file

    private static func steps(in line: String) throws(AttachmentError) -> [Step] {
        var words = try words(of: line)[...]
        var steps: [Step] = []
        while case .plain(let verb)? = words.popFirst() {
            switch verb {
            case "at", "wait":
                guard case .plain(let text)? = words.popFirst(), let time = Button.nanoseconds(text) else {
                    throw AttachmentError("expected a time after '\(verb)', such as 100ms")
                }
                steps.append(verb == "at" ? .at(time) : .wait(time))
            case "send":
                let bytes = try bytes(&words)
                guard !bytes.isEmpty else { throw AttachmentError("expected what to send, such as \"text\" or 0d 0a") }
                steps.append(.send(bytes))
            case "expect":
                let bytes = try bytes(&words)
                guard !bytes.isEmpty else { throw AttachmentError("expected what to wait for, such as \"OK\"") }
                var limit: Int64?
                if case .plain("within")? = words.first {
                    words.removeFirst()
                    guard case .plain(let text)? = words.popFirst(), let time = Button.nanoseconds(text) else {
                        throw AttachmentError("expected a time after 'within', such as 1s")
                    }
                    limit = time
                }
                steps.append(.expect(bytes, within: limit))
            default: throw AttachmentError("'\(verb)' is none of at, wait, send and expect")
            }
        }
        if !words.isEmpty { throw AttachmentError("expected at, wait, send or expect before text") }
        return steps
    }

    private enum Word: Equatable {
        case plain(String)
        case quoted([UInt8])
    }

    private static func bytes(_ words: inout ArraySlice<Word>) throws(AttachmentError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let word = words.first {
            switch word {
            case .quoted(let text): bytes += text
            case .plain(let text):
                guard text.count == 2, let byte = UInt8(text, radix: 16) else { return bytes }
                bytes.append(byte)
            }
            words.removeFirst()
        }
        return bytes
    }

    private static func words(of line: String) throws(AttachmentError) -> [Word] {
        var words: [Word] = []
        var rest = Array(line.utf8)[...]
        while let first = rest.first, first != UInt8(ascii: "#") {
            if first == UInt8(ascii: "\"") {
                rest.removeFirst()
                words.append(.quoted(try quoted(&rest)))
            } else if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") || first == UInt8(ascii: "\r") {
                rest.removeFirst()
            } else {
                let word = rest.prefix { $0 > UInt8(ascii: " ") && $0 != UInt8(ascii: "\"") }
                guard !word.isEmpty else { throw AttachmentError("a control character, \(first), outside of a text") }
                rest.removeFirst(word.count)
                words.append(.plain(String(decoding: word, as: UTF8.self)))
            }
        }
        return words
    }

    private static func quoted(_ rest: inout ArraySlice<UInt8>) throws(AttachmentError) -> [UInt8] {
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return text }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "n"): text.append(10)
            case UInt8(ascii: "r"): text.append(13)
            case UInt8(ascii: "t"): text.append(9)
            case UInt8(ascii: "0"): text.append(0)
            case UInt8(ascii: "\\"): text.append(0x5C)
            case UInt8(ascii: "\""): text.append(0x22)
            case UInt8(ascii: "x"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else {
                    throw AttachmentError("expected two hexadecimal digits after \\x")
                }
                rest.removeFirst(2)
                text.append(value)
            default: throw AttachmentError("a backslash stands before one of r n t 0 x \\ \"")
            }
        }
        throw AttachmentError("a text has no end")
    }

    // MARK: The dialogue

    var nextWord: Int64 {
        guard steps.indices.contains(index) else { return .max }
        switch steps[index] {
        case .at(let time): return max(time, since)
        case .wait(let time): return since + time
        case .send: return since
        case .expect(_, let limit): return limit.map { since + $0 } ?? .max
        }
    }

    func received(_ byte: UInt8, at now: Int64) -> [UInt8] {
        heard.append(byte)
        if heard.count > SerialScript.mostHeard { heard.removeFirst(SerialScript.mostHeard / 2) }
        return goOn(now)
    }

    func speak(at now: Int64) -> [UInt8] { goOn(now) }

    /// Does what is due.
    private func goOn(_ now: Int64) -> [UInt8] {
        var said: [UInt8] = []
        while steps.indices.contains(index) {
            switch steps[index] {
            case .at(let time):
                guard time <= now else { return said }
                since = max(since, time)
            case .wait(let time):
                guard since + time <= now else { return said }
                since += time
            case .send(let bytes): said += bytes
            case .expect(let bytes, let limit):
                if let end = SerialScript.end(of: bytes, in: heard) {
                    heard.removeFirst(end)
                    since = now
                } else if let limit, since + limit <= now {
                    events.append("expected \(SerialScript.shown(bytes)), heard \(SerialScript.shown(heard))")
                    since = now
                } else {
                    return said
                }
            }
            index += 1
        }
        return said
    }

    private static func end(of wanted: [UInt8], in heard: [UInt8]) -> Int? {
        guard heard.count >= wanted.count else { return nil }
        return (0...heard.count - wanted.count).first { heard[$0..<$0 + wanted.count].elementsEqual(wanted) }.map { $0 + wanted.count }
    }

    /// As the script would have it; of long texts the end.
    private static func shown(_ bytes: [UInt8]) -> String {
        let text = bytes.suffix(80).map { byte in
            switch byte {
            case 10: "\\n"
            case 13: "\\r"
            case 0x20...0x7E: String(UnicodeScalar(byte))
            default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return bytes.isEmpty ? "nothing" : "\"\(text.joined())\""
    }

    func finish(at now: Int64) {
        guard steps.indices.contains(index), case .expect(let bytes, _) = steps[index] else { return }
        events.append("still expected \(SerialScript.shown(bytes)), heard \(SerialScript.shown(heard))")
    }

    func takeEvents() -> [String] {
        defer { events = [] }
        return events
    }

    var memory: [UInt8] {
        get {
            var memo = Recollection()
            memo.add(index)
            memo.add(since)
            memo.add(heard)
            return memo.bytes
        }
        set {
            var memo = Recollection(newValue)
            index = memo.integer(in: 0...steps.count)
            since = max(0, min(memo.number(), 1 << 62))
            heard = memo.block()
        }
    }
}
