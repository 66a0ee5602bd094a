import Foundation
import SecureChannel
import Subprocess
import TPM
import TPMEvidence
import Testing
import Wire

/// A TPM on a board of its own, in a folder that goes with it.
final class Board {
    let folder: URL
    let name: String
    let store: TPMStateFile
    var now = Instant.start
    var tpm: TrustedPlatformModule?

    init(_ name: String = "board", seed: UInt64? = 1) throws {
        self.name = name
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tpm-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        store = TPMStateFile(path: folder.appendingPathComponent("tpm.state").path, device: Array(name.utf8))
        self.seed = seed
        tpm = try TrustedPlatformModule.manufacture(in: store, draws: draws(generation: 0)) { [unowned self] in now }
        try stack.startup()
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private let seed: UInt64?
    func draws(generation: Int) -> SeedStream? {
        seed.map { SeedStream(seed: $0, node: name, purpose: "tpm", generation: generation) }
    }

    var stack: TPMStack { TPMStack(tpm!) }

    /// As after SIGKILL: what was in volatile memory is gone.
    func cutPower(generation: Int = 1) throws {
        tpm = nil
        tpm = try TrustedPlatformModule(store: store, draws: draws(generation: generation)) { [unowned self] in now }
        try stack.startup()
    }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        let url = folder.appendingPathComponent(name)
        try Data(bytes).write(to: url)
        return url.path
    }

    func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: folder.appendingPathComponent(name))) }

    /// One of Debian's tools: whether it ended well, and what it said.
    func tool(_ name: String, _ arguments: [String]) async throws -> (isGood: Bool, output: String) {
        let result = try await run(
            .name(name), arguments: Arguments(arguments), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        return (result.terminationStatus.isSuccess, result.standardOutput + result.standardError)
    }
}
