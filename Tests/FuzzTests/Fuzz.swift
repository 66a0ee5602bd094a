import Foundation
import Testing
import Wire

/// A border that bytes, text or calls from outside cross, beaten on with what a seed makes of valid samples. A trap ends the
/// process; the input that did it lies in `.build/fuzz/BORDER.last` then. `scripts/fuzz` runs the same for minutes.
struct Fuzz {
    /// From the environment, so that a long run and a repetition are the same tests.
    static let seed = ProcessInfo.processInfo.environment["ORRERY_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
    private static let seconds = ProcessInfo.processInfo.environment["ORRERY_FUZZ_SECONDS"].flatMap { Double($0) } ?? 2
    private static let first = ProcessInfo.processInfo.environment["ORRERY_FUZZ_CASE"].flatMap { Int($0) }
    /// A case that takes so long is a hang, whatever comes of it.
    private static let longestSeconds = 10.0

    static let folder: URL = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.appendingPathComponent(".build/fuzz")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }()

    let border: String
    var draws: SeedStream
    private let file: URL

    private init(border: String, draws: SeedStream, file: URL) { (self.border, self.draws, self.file) = (border, draws, file) }

    init(border: String) {
        self.init(
            border: border, draws: SeedStream(seed: Fuzz.seed, node: border, purpose: "fuzz"),
            file: Fuzz.folder.appendingPathComponent("\(border).last"))
    }

    /// Runs cases until the time is over, each with draws of its own.
    static func run(_ border: String, _ body: (inout Fuzz) throws -> Void) throws {
        let begun = ContinuousClock.now
        var number = first ?? 0
        repeat {
            let before = ContinuousClock.now
            var fuzz = Fuzz(
                border: border, draws: SeedStream(seed: seed, node: border, purpose: "fuzz", generation: number),
                file: folder.appendingPathComponent("\(border).last"))
            try body(&fuzz)
            let took = ContinuousClock.now - before
            if took > .seconds(longestSeconds) {
                let kept = folder.appendingPathComponent("\(border)-slow-\(seed)-\(number)")
                try? FileManager.default.removeItem(at: kept)
                try? FileManager.default.copyItem(at: fuzz.file, to: kept)
                Issue.record("\(border): seed \(seed), case \(number) took \(took); its input is in \(kept.lastPathComponent)")
            }
            number += 1
        } while first == nil && ContinuousClock.now - begun < .seconds(seconds)
        print("fuzz: \(border): seed \(seed), \(number) cases")
    }

    // MARK: Draws

    mutating func below(_ limit: Int) -> Int { limit > 0 ? Int.random(in: 0..<limit, using: &draws) : 0 }
    mutating func isOne(in count: Int) -> Bool { below(count) == 0 }
    mutating func one<T>(of items: [T]) -> T { items[below(items.count)] }
    mutating func bytes(upTo limit: Int) -> [UInt8] { draws.bytes(below(limit + 1)) }
    mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: draws.next()) }

    /// Numbers at which arithmetic goes wrong.
    static let extremes: [UInt32] = [
        0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 0xFFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0xF_FFFF,
        0x10_0000, 0x3FFF_FFFF, 0x4000_0000, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xB600_0000, 0xBEFF_FFFF, 0xFFFE_F000,
        0xFFFF_0000, 0xFFFF_0FFF, 0xFFFF_F000, 0xFFFF_FF00, 0xFFFF_FFFE, 0xFFFF_FFFF, 0xFFFF_FFFB, 0xFFFF_FF9C,
    ]

    /// A sample with a few changes: bytes, numbers, stretches that are gone, doubled, cut off or from another sample.
    mutating func mutated(_ samples: [[UInt8]]) -> [UInt8] {
        if isOne(in: 20) { return keep(bytes(upTo: 512)) }
        var bytes = one(of: samples)
        for _ in 0...below(8) where !bytes.isEmpty {
            let place = below(bytes.count)
            switch below(9) {
            case 0: bytes[place] ^= 1 << UInt8(below(8))
            case 1: bytes[place] = one(of: [0, 1, 0x7F, 0x80, 0xFF])
            case 2, 3:
                let value = one(of: Fuzz.extremes)
                let width = min(one(of: [2, 3, 4]), bytes.count - place)
                let isBig = isOne(in: 2)
                for index in 0..<width {
                    bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * (isBig ? width - 1 - index : index)))
                }
            case 4: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(16)))
            case 5: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 1 + below(64))], at: place)
            case 6: if isOne(in: 4) { bytes.removeSubrange(place...) }
            case 7:
                let other = one(of: samples)
                guard !other.isEmpty else { continue }
                let from = below(other.count)
                bytes.insert(contentsOf: other[from..<min(other.count, from + 1 + below(64))], at: place)
            default: bytes.insert(contentsOf: self.bytes(upTo: 8), at: place)
            }
        }
        return keep(bytes)
    }

    /// Text with words put in place of others: what a mutation of single bytes would rarely make.
    mutating func mutatedText(_ samples: [String], words: [String]) -> [UInt8] {
        if isOne(in: 3) { return mutated(samples.map { Array($0.utf8) }) }
        var pieces = one(of: samples).split(omittingEmptySubsequences: false) { " \n".contains($0) }.map(String.init)
        for _ in 0...below(4) where !pieces.isEmpty {
            let place = below(pieces.count)
            switch below(3) {
            case 0: pieces[place] = one(of: words)
            case 1: pieces.insert(one(of: words), at: place)
            default: pieces[place] = one(of: pieces)
            }
        }
        // With the white space of the sample lost, structure mostly is, too: the other kind of change keeps it.
        guard isOne(in: 4) else {
            var text = one(of: samples)
            for _ in 0...below(3) {
                let found = text.split { " \n,:{}[]\"".contains($0) }.map(String.init)
                guard !found.isEmpty else { break }
                let (old, new) = (one(of: found), one(of: words))
                if let range = text.range(of: old) { text.replaceSubrange(range, with: new) }
            }
            return keep(Array(text.utf8))
        }
        return keep(Array(pieces.joined(separator: isOne(in: 2) ? " " : "\n").utf8))
    }

    /// Leaves an input where it can be found if it ends the process.
    @discardableResult func keep(_ bytes: [UInt8]) -> [UInt8] {
        try? Data(bytes).write(to: file)
        return bytes
    }
}
