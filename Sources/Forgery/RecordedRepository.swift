import Formats
import TUF

/// What somebody on the path has recorded of an update server: files of TUF repositories by their path, and what they name.
public struct RecordedRepository {
    public private(set) var files: [String: [UInt8]] = [:]
    public init() {}

    public subscript(_ path: String) -> [UInt8]? { files[path] }
    public var isEmpty: Bool { files.isEmpty }

    /// Keeps a file.
    ///
    /// - Parameter targetsPath: The path below which targets lie that metadata below `repository` names.
    /// - Returns: Paths of the files that it names: timestamp → snapshot → targets → images.
    public mutating func record(_ path: String, _ bytes: [UInt8], repository: String, targetsPath: String) -> [String] {
        files[path] = bytes
        guard let slash = path.lastIndex(of: "/"), let signed = JSONValue(bytes: bytes)?["signed"] else { return [] }
        let base = path[..<slash]
        switch signed["_type"]?.asString {
        case "timestamp": return RecordedRepository.version(of: "snapshot", in: signed).map { ["\(base)/\($0).snapshot.json"] } ?? []
        case "snapshot": return RecordedRepository.version(of: "targets", in: signed).map { ["\(base)/\($0).targets.json"] } ?? []
        case "targets" where base.hasPrefix(repository):
            return (signed["targets"]?.asObject ?? [:]).sorted(by: { $0.key < $1.key }).compactMap { name, target in
                target["hashes"]?["sha256"]?.asString.map { RecordedRepository.path(of: name, digest: $0, below: targetsPath) }
            }
        default: return []
        }
    }

    /// The snapshot that a timestamp names: another one is another release.
    public static func snapshot(in timestamp: [UInt8]) -> Int64? {
        JSONValue(bytes: timestamp)?["signed"].flatMap { version(of: "snapshot", in: $0) }
    }

    private static func version(of role: String, in signed: JSONValue) -> Int64? {
        signed["meta"]?["\(role).json"]?["version"]?.asInteger
    }

    /// Where a target lies in a repository with consistent snapshots (TUF 1.0.33, 6.2.1).
    static func path(of name: String, digest: String, below path: String) -> String { "\(path)/\(digest).\(TUFClient.quoted(name))" }

    /// The metadata that a recorded timestamp leads to: paths by role.
    public func chain(below base: String) -> [String: String] {
        var paths = ["timestamp": "\(base)/timestamp.json"]
        for (role, next) in [("timestamp", "snapshot"), ("snapshot", "targets")] {
            guard let signed = paths[role].flatMap({ files[$0] }).flatMap({ JSONValue(bytes: $0)?["signed"] }),
                let version = RecordedRepository.version(of: next, in: signed)
            else { break }
            paths[next] = "\(base)/\(version).\(next).json"
        }
        return paths
    }

    /// As the name of a metadata file says it; 0 if there is none.
    public static func version(in path: String?) -> Int64 {
        guard let path, let slash = path.lastIndex(of: "/") else { return 0 }
        return Int64(path[path.index(after: slash)...].prefix { $0.isNumber }) ?? 0
    }

    /// Until when a metadata file holds, in Unix seconds.
    public func expiry(of path: String) -> Int64? {
        files[path].flatMap { JSONValue(bytes: $0)?["signed"]?["expires"]?.asString }.flatMap(TUFTime.unixSeconds)
    }

    func targets(below base: String) -> [String: JSONValue]? {
        chain(below: base)["targets"].flatMap { files[$0] }.flatMap { JSONValue(bytes: $0)?["signed"]?["targets"]?.asObject }
    }
}
