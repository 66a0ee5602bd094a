import ArgumentParser
import Foundation
import Planning
public import Silicon

extension Chip {
    /// By a name, or by the path of a file.
    public static func chosen(_ word: String) throws -> Chip {
        if let known = Chip.named(word) { return known }
        guard word.hasSuffix(".yaml") || word.hasSuffix(".yml") else {
            throw ValidationError("unknown chip '\(word)'; there are \(Chip.names.joined(separator: ", ")), and files (.yaml)")
        }
        let text = FileManager.default.contents(atPath: word).map { String(decoding: $0, as: UTF8.self) }
        return try Chip(ChipFile.read(file: word, text: text, types: Chip.blockTypes))
    }

    /// As a file for `--chip`.
    public var fileText: String { ChipFile.text(of: description) }
}
