import Foundation
import SecureChannel
import TPM
import TPMEvidence
import Testing
import Wire

@testable import TPM

/// Non-volatile memory that survives power cuts, and says so where it did not.
@Suite struct StateTests {
    private func powerOn(_ store: TPMStateFile) -> TPMStateRefusal? {
        do throws(TPMStateRefusal) {
            _ = try TrustedPlatformModule(store: store, draws: SeedStream(seed: 1, node: "x", purpose: "tpm")) { .start }
            return nil
        } catch { return error }
    }

    @Test func keysAreThereAfterAPowerCut() throws {
        let board = try Board()
        let key = try board.stack.takeOwnership().attestationKey
        let (before, registers) = (try board.stack.clock().info, PCRSelection([5]))
        try board.stack.extend(5, sha256([1]))
        try board.cutPower()
        #expect(try board.stack.publicArea(of: TPMStack.Persistent.attestationKey) == key)
        let after = try board.stack.clock().info
        #expect(after.resetCount == before.resetCount + 1)
        #expect(!after.isSafe)
        #expect(try board.stack.registers(registers) == PCRValues([5: [UInt8](repeating: 0, count: 32)]))
        // Once the clock has passed what it can have been at before, it is safe again; and stays so if it is told to stop.
        board.now = board.now + .seconds(10)
        #expect(try board.stack.clock().info.isSafe)
        try board.stack.shutdown()
        try board.cutPower(generation: 2)
        #expect(try board.stack.clock().info.isSafe)
    }

    @Test func itIsManufacturedOnce() throws {
        let board = try Board()
        #expect(throws: TPMStateRefusal.alreadyThere) {
            _ = try TrustedPlatformModule.manufacture(in: board.store, draws: nil) { .start }
        }
        let empty = TPMStateFile(path: board.folder.appendingPathComponent("none").path, device: [1])
        #expect(powerOn(empty) == .notThere)
    }

    /// Power goes at each byte of a save: the old state is there, whole.
    @Test func aSaveIsWholeOrWasNot() throws {
        let board = try Board()
        let old = [UInt8](repeating: 5, count: 300)
        try board.store.store(old)
        let new = old + [1, 2, 3]
        let whole = board.store.encode(new)
        for count in 0...whole.count {
            board.store.cutAfter = count
            #expect(throws: TPMStateRefusal.self) { try board.store.store(new) }
            guard try board.store.load() == old else {
                Issue.record("cut after \(count) bytes")
                return
            }
        }
        board.store.cutAfter = nil
        try board.store.store(new)
        #expect(try board.store.load() == new)
    }

    /// A file that was cut off, or changed, at any byte is torn; the TPM does not come up with it.
    @Test func whatIsTornIsSeen() throws {
        let board = try Board()
        let path = board.store.path
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        for count in 0..<whole.count {
            var changed = whole
            changed[count] ^= 0x10
            for bytes in [
                Array(whole.prefix(count)), changed, Array(whole.prefix(count)) + [UInt8](repeating: 0, count: whole.count - count),
            ]
            where bytes != whole {
                do {
                    _ = try board.store.decode(bytes)
                    Issue.record("byte \(count) is not seen")
                } catch { #expect(error == .torn, "byte \(count)") }
            }
        }
        try Data(whole.dropLast(100)).write(to: URL(fileURLWithPath: path))
        #expect(powerOn(board.store) == .torn)
        try Data(whole).write(to: URL(fileURLWithPath: path))
        #expect(powerOn(board.store) == nil)
    }

    @Test func anotherDevicesIsRefused() throws {
        let (mine, other) = (try Board("mine"), try Board("other"))
        try FileManager.default.removeItem(atPath: mine.store.path)
        try FileManager.default.copyItem(atPath: other.store.path, toPath: mine.store.path)
        #expect(powerOn(mine.store) == .fromAnotherDevice)
        #expect(powerOn(other.store) == nil)
    }

    @Test func anotherVersionIsRefused() throws {
        let board = try Board()
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: board.store.path)))
        bytes[9] = 2
        bytes = Array(bytes.dropLast(32))
        try Data(bytes + sha256(bytes)).write(to: URL(fileURLWithPath: board.store.path))
        #expect(powerOn(board.store) == .unknownVersion(2))
    }

    /// A whole file around something that is no state of libtpms, or one that is cut off: it stays as it is, and others still run.
    @Test func whatLibtpmsDoesNotTake() throws {
        let (board, other) = (try Board(), try Board("other"))
        let state = try #require(try board.store.load())
        for bad in [[], [1, 2, 3], [UInt8](repeating: 0, count: 4096), Array(state.dropLast(40)), Array(state.prefix(64))] {
            try board.store.store(bad)
            guard case .unusable = powerOn(board.store) else {
                Issue.record("\(bad.count) bytes came up")
                continue
            }
            #expect(try board.store.load() == bad)
            #expect(try other.stack.random(4).count == 4)
        }
    }

    /// A disk that takes nothing more: the TPM says that it failed, and comes up with what was written last.
    @Test func aFullDisk() throws {
        let board = try Board()
        let key = try board.stack.takeOwnership().attestationKey
        board.store.cutAfter = 0
        #expect(throws: TPMError.self) { try board.stack.clear() }
        board.store.cutAfter = nil
        try board.cutPower()
        #expect(try board.stack.publicArea(of: TPMStack.Persistent.attestationKey) == key)
    }

    @Test func commandsThatAreNone() throws {
        let board = try Board()
        for bytes in [
            [], [0x80], [0x80, 0x01, 0, 0, 0, 10, 0, 0, 0], [UInt8](repeating: 0xFF, count: 4097), [UInt8](repeating: 0, count: 4096),
        ] {
            let response = board.stack.transport.transmit(bytes)
            #expect(response.count >= 10, "\(bytes.count)")
        }
        #expect(throws: TPMError.refused(TPMResponseCode(0x18B))) { try board.stack.publicArea(of: 0x8100_0055) }
        #expect(TPMResponseCode(0x18B).description == "TPM_RC_HANDLE (handle 1)")
    }
}
