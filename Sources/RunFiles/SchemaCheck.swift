import Foundation
import Version

/// A file that was not written for this version, in words for the person at the terminal.
public struct FileRefused: Error, CustomStringConvertible {
    public var description: String
    public init(description: String) { self.description = description }
}

extension RunFolder {
    /// Of the orrery that writes here.
    public static var writerVersion: String { Version.described }
}

/// Reads the number of a file's form before anything else of it.
enum SchemaCheck {
    private struct Head: Decodable { var schema: Int? }

    static func check(_ data: Data, _ path: String, _ kind: String, is wanted: Int) throws {
        guard let head = try? JSONDecoder().decode(Head.self, from: data) else {
            throw FileRefused(description: "\(path) is no \(kind): it is not JSON with a schema number")
        }
        let here = "this orrery (\(Version.described)) reads \(kind) schema \(wanted)"
        guard let schema = head.schema else {
            throw FileRefused(description: "\(path) has no schema number, so it is older than \(kind) schema 1; \(here). Run it anew.")
        }
        guard schema != wanted else { return }
        throw FileRefused(
            description: "\(path) is of \(kind) schema \(schema), which is \(schema < wanted ? "older" : "newer"); \(here). "
                + (schema < wanted ? "Run it anew." : "Use the orrery that wrote it, or a newer one."))
    }
}
