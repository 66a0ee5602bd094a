import Formats

/// A service that is found by DNS service discovery (RFC 6763): an instance of a type in a domain, at a host and a port.
public struct ServiceRecord: Sendable, Equatable {
    /// One label, such as `Kitchen`.
    public var instance: String
    /// With its domain, such as `_http._tcp.example.com`.
    public var type: String
    public var host: String
    public var port: UInt16
    /// `key=value` each.
    public var text: [String]

    public init(instance: String, type: String, host: String, port: UInt16, text: [String]) {
        (self.instance, self.type, self.host, self.port, self.text) = (instance, type, host, port, text)
    }

    private var name: [UInt8] { [UInt8(clamping: instance.utf8.count)] + Array(instance.utf8.prefix(63)) + ServiceRecord.labels(type) }

    /// A name as messages have it, without compression (RFC 1035 section 3.1).
    private static func labels(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8(clamping: $0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    /// What is to be told of it in answer to a question; nil if it is about another.
    func data(for question: DNSQuestion) -> [UInt8]? {
        let isOwn = question.name == "\(instance).\(type)".lowercased()
        switch question.type {
        case DNSQuestion.pointer: return question.name == type.lowercased() ? name : nil
        case DNSQuestion.service: return isOwn ? [0, 0, 0, 0] + ServiceRecord.big(port) + ServiceRecord.labels(host) : nil
        case DNSQuestion.text:
            // An empty one has one string without bytes (RFC 6763 section 6.1).
            let strings = text.isEmpty ? [""] : text
            return isOwn ? strings.flatMap { [UInt8(clamping: $0.utf8.count)] + Array($0.utf8) } : nil
        default: return nil
        }
    }
}

extension DNSQuestion {
    static let pointer: UInt16 = 12
    static let text: UInt16 = 16
    static let service: UInt16 = 33

    /// Whether it is a question of service discovery, for which a manifest lists the domain or what is in it.
    var isOfServices: Bool { [DNSQuestion.pointer, DNSQuestion.text, DNSQuestion.service].contains(type) }

    func isAllowed(by hosts: [String]) -> Bool {
        hosts.contains { host in
            let host = host.lowercased()
            return name == host || isOfServices && name.hasSuffix(".\(host)")
        }
    }

    /// - Parameter records: What is told in answer, each for itself; none for a name that is not there.
    func answer(records: [[UInt8]]) -> [UInt8] {
        func big(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }
        var message = answer(nil, isEmpty: !records.isEmpty)
        message.replaceSubrange(6..<8, with: big(records.count))
        for data in records {
            message += [0xC0, 12]
            message += big(Int(type)) + [0, 1, 0, 0, 0, 60]
            message += big(data.count) + data
        }
        return message
    }
}
