import Foundation
import Runtime
import Subprocess
import SystemPackage
import Testing

/// Owns what a system test makes: a folder for runs and files. All of it is gone when the test is over.
final class Testbed: Sendable {
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "orrery-system-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    static var orreryPath: String { Machine.executableFolder + "/orrery" }

    struct Ended: Sendable {
        var status: String
        var code: Int32?
        var output: String
        var errors: String
        func line(_ prefix: String) -> String? {
            output.split(separator: "\n").first { $0.hasPrefix(prefix) }.map {
                $0.dropFirst(prefix.count).trimmingCharacters(in: .whitespaces)
            }
        }
    }

    /// Runs `orrery` to its end. `during` gets its process ID while it runs.
    func orrery(_ arguments: [String], during: @escaping @Sendable (Int32) async throws -> Void = { _ in }) async throws -> Ended {
        let result = try await run(
            .path(FilePath(Testbed.orreryPath)), arguments: Arguments(arguments),
            workingDirectory: FilePath(folder), input: .none, output: .string(limit: 4 << 20), error: .string(limit: 1 << 20)
        ) { execution in
            try await during(execution.processIdentifier.value)
        }
        var code: Int32?
        if case .exited(let value) = result.terminationStatus { code = value }
        return Ended(
            status: "\(result.terminationStatus)", code: code, output: result.standardOutput,
            errors: result.standardError)
    }

    /// Runs somebody else's program, which may fail.
    func ended(_ path: String, _ arguments: [String]) async throws -> Ended {
        let result = try await run(
            .name(path), arguments: Arguments(arguments), workingDirectory: FilePath(folder), output: .string(limit: 4 << 20),
            error: .string(limit: 1 << 20))
        var code: Int32?
        if case .exited(let value) = result.terminationStatus { code = value }
        return Ended(
            status: "\(result.terminationStatus)", code: code, output: result.standardOutput, errors: result.standardError)
    }

    /// Runs somebody else's program; its output.
    func tool(_ path: String, _ arguments: [String]) async throws -> String {
        let result = try await run(
            path.contains("/") ? .path(FilePath(path)) : .name(path), arguments: Arguments(arguments),
            workingDirectory: FilePath(folder), output: .string(limit: 4 << 20), error: .string(limit: 1 << 20))
        #expect(result.terminationStatus.isSuccess, "\(path): \(result.standardError)")
        return result.standardOutput
    }

    /// Both devices hold their certificates.
    func waitForAttestation() async throws {
        try await wait("attestation") { [self] in journal.split(separator: "\n").count { $0.contains("\"certificate-issued\"") } == 2 }
    }

    func write(_ text: String, _ name: String) throws -> String {
        let path = "\(folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// Processes whose command line names this test's folder.
    func processes(_ executable: String = "") -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { process in
            guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
            let text = String(decoding: line, as: UTF8.self)
            return text.contains("orrery-\(executable)") && text.contains(folder)
        }
    }

    /// Waits until a condition holds. The limit is for a broken build, not for timing.
    func wait(_ what: String, until condition: @Sendable () -> Bool) async throws {
        for _ in 0..<3000 {
            if condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("gave up waiting: \(what)")
    }

    var journal: String {
        let base = folder + "/runs"
        guard let name = try? FileManager.default.contentsOfDirectory(atPath: base).first else { return "" }
        return (try? String(contentsOfFile: "\(base)/\(name)/latest/journal.ndjson", encoding: .utf8)) ?? ""
    }
}
