public import Formats
import FoundationEssentials
import SecureChannel

/// Something about an app or a program that keeps it from being built in.
public struct AppProblem: Error, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}

/// A program that `scripts/guest` has built.
public enum GuestProgram {
    public static func read(_ name: String, in folder: String) throws(AppProblem) -> [UInt8] {
        let path = "\(folder)/\(name).elf"
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw AppProblem("'\(name)' is not built: run scripts/guest (looked for \(path))")
        }
        return Array(bytes)
    }

    /// Debian's BusyBox for ARM, which `scripts/install` brings.
    public static func busybox(beside folder: String) throws(AppProblem) -> [UInt8] {
        let path = "\(folder)/../userland/root/bin/busybox"
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw AppProblem("BusyBox for Linux boards is not there: run scripts/install (looked for \(path))")
        }
        return Array(bytes)
    }

    public static func image(_ name: String, in folder: String) throws(AppProblem) -> ELFImage {
        let file = try read(name, in: folder)
        do { return try ELFImage(file) } catch { throw AppProblem("\(folder)/\(name).elf: \(error)") }
    }

    /// The file in hex, as anybody may download firmware; nil if it is not there or no program.
    public static func published(_ name: String, in folder: String) -> String? { try? image(name, in: folder).file.hex }

    /// Machine code of a boot loader, as it lies from `FlashLayout.loaderAddress` on.
    public static func loader(_ name: String, in folder: String) throws(AppProblem) -> [UInt8] {
        try image(name, in: folder).flat(from: FlashLayout.loaderAddress)
    }

    /// SHA-256 in hex; nil if it cannot be read.
    public static func hash(path: String) -> String? { (try? Data(contentsOf: URL(fileURLWithPath: path))).map { sha256(Array($0)).hex } }
}

extension AppSource {
    /// A component ID for what has none of its own: the same for the same name.
    public static func component(_ app: String) -> String {
        let digits = Array(sha256(Array("component \(app)".utf8)).hex)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }

    /// With an undefined instruction (UDF #0) where the program begins: what the vendor forgot to test. In Thumb (ARM DDI 0406C A8.8.247,
    /// encoding T1) or, where the entry is even, in ARM (encoding A1).
    ///
    /// - Parameter path: Of the program, for the reason.
    public func crashing(_ path: String) throws(AppProblem) -> AppSource {
        guard let elf = try? ELFImage(program), let place = elf.fileOffset(of: elf.entry & ~1) else {
            throw AppProblem("\(path) does not begin in any of its segments")
        }
        var source = self
        let undefined: [UInt8] = elf.entry & 1 == 1 ? [0x00, 0xDE] : [0xF0, 0x00, 0xF0, 0xE7]
        guard place + undefined.count <= source.program.count else { throw AppProblem("\(path) ends where it begins") }
        source.program.replaceSubrange(place..<place + undefined.count, with: undefined)
        return source
    }
}
