import FoundationEssentials

/// What stands for the machine code of a stage that Swift does the work of: its first line says which it is, what it is hardened
/// against, and, of code that its vendor should have tested, what it lacks and does.
public struct StageCode: Equatable, Sendable {
    public enum Part: String, Sendable {
        /// Nothing of the system's or its apps' reaches the network.
        case network
        /// Nobody asks for certificates.
        case attester
    }

    public var stage: String
    public var version: String
    public var hardening: [String]
    public var lacks: [Part]
    /// After its start; nil for never.
    public var stopsAfterSeconds: Int64?
    public var leaksBytesPerSecond: Int64?

    public init(
        stage: String, version: String, hardening: [String] = [], lacks: [Part] = [], stopsAfterSeconds: Int64? = nil,
        leaksBytesPerSecond: Int64? = nil
    ) {
        (self.stage, self.version, self.hardening, self.lacks) = (stage, version, hardening, lacks)
        (self.stopsAfterSeconds, self.leaksBytesPerSecond) = (stopsAfterSeconds, leaksBytesPerSecond)
    }

    private static let entry = Array("{\"stage\":".utf8)
    private static let longestLine = 1024

    /// Whether a stage can be started at all.
    public static func canStart(_ body: [UInt8]) -> Bool { body.starts(with: entry) }

    /// Nil if a body's first line says nothing.
    public init?(_ body: [UInt8]) {
        let line = body.prefix(StageCode.longestLine).prefix { $0 != 10 }
        guard let fields = try? JSONDecoder().decode(JSONValue.self, from: Data(line)), let stage = fields["stage"]?.asString,
            let version = fields["version"]?.asString
        else { return nil }
        self.init(
            stage: stage, version: version, hardening: fields["hardening"]?.strings ?? [],
            lacks: (fields["lacks"]?.strings ?? []).compactMap(Part.init(rawValue:)),
            stopsAfterSeconds: fields["stops-after-s"]?.asInteger, leaksBytesPerSecond: fields["leaks-bytes-per-s"]?.asInteger)
    }

    /// With the end of the line.
    public var firstLine: [UInt8] {
        func list(_ words: [String]) -> String { "[" + words.map { "\"\($0)\"" }.joined(separator: ",") + "]" }
        var line = "{\"stage\":\"\(stage)\",\"version\":\"\(version)\",\"hardening\":\(list(hardening))"
        if !lacks.isEmpty { line += ",\"lacks\":\(list(lacks.map(\.rawValue)))" }
        if let stopsAfterSeconds { line += ",\"stops-after-s\":\(stopsAfterSeconds)" }
        if let leaksBytesPerSecond { line += ",\"leaks-bytes-per-s\":\(leaksBytesPerSecond)" }
        return Array((line + "}\n").utf8)
    }
}
