/// What a run was made of. It is in the plan and the metrics, never in the journal: the same run by another version has the same digest.
public struct Provenance: Sendable, Equatable, Codable {
    public struct File: Sendable, Equatable, Codable {
        /// From where `orrery` ran; built guest code as `guest/NAME`.
        public var path: String
        /// Hex; nil if it could not be read.
        public var sha256: String?
        public init(path: String, sha256: String?) {
            self.path = path
            self.sha256 = sha256
        }
    }

    /// The version of `orrery`.
    public var version: String
    /// By path.
    public var files: [File]

    public init(version: String, files: [File]) {
        self.version = version
        self.files = files.sorted { $0.path < $1.path }
    }

    /// What is another now, in lines for a reader; none if nothing is.
    public func changes(until now: Provenance) -> [String] {
        var lines: [String] = []
        if version != now.version { lines += ["version of orrery", "  then  \(version)", "  now   \(now.version)"] }
        let before = Dictionary(files.map { ($0.path, $0.sha256) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(now.files.map { ($0.path, $0.sha256) }, uniquingKeysWith: { first, _ in first })
        for path in Set(before.keys).union(after.keys).sorted() where before[path] != after[path] {
            lines += [path, "  then  \(Provenance.word(before[path]))", "  now   \(Provenance.word(after[path]))"]
        }
        return lines
    }

    private static func word(_ hash: String??) -> String {
        switch hash {
        case .none: "not used"
        case .some(.none): "cannot be read"
        case .some(.some(let hash)): hash
        }
    }
}
