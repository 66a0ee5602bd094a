import Foundation
import SecureChannel
import TPM
import TPMEvidence
import Testing
import Wire

/// The same seed and the same times, the same bytes; whatever else goes on in the process.
@Suite struct DeterminismTests {
    /// Steps of a life, each of which gives what the TPM gave.
    private static let life: [@Sendable (Board) throws -> [UInt8]] = [
        { try $0.stack.random(32) },
        { board in
            let keys = try board.stack.takeOwnership()
            return keys.attestationKey.encoded + keys.tlsKey.encoded
        },
        { board in
            board.now = board.now + .milliseconds(12_345)
            try board.stack.extend(3, sha256([7]))
            let quote = try board.stack.quote(TPMStack.Persistent.attestationKey, nonce: [1, 2, 3], PCRSelection(0..<8))
            return quote.statement + quote.signature
        },
        { try $0.stack.sign(TPMStack.Persistent.tlsKey, digest: sha256([9])) },
        { board in
            let sealed = try board.stack.seal([1, 2, 3], to: PCRSelection([3]))
            return try sealed.encoded + board.stack.unseal(sealed, PCRSelection([3]))
        },
        { board in
            board.now = board.now + .seconds(3_600)
            try board.cutPower()
            let quote = try board.stack.quote(TPMStack.Persistent.attestationKey, nonce: [4], PCRSelection(0..<8))
            return try quote.statement + quote.signature + board.stack.random(16)
        },
        { board in
            try board.stack.clear()
            return try board.stack.takeOwnership().attestationKey.encoded
        },
    ]

    private static func live(_ board: Board) throws -> [[UInt8]] { try life.map { try $0(board) } }

    @Test func sameSeedSameBytes() throws {
        let first = try Self.live(try Board("a", seed: 7))
        // Another second on the machine's clock, and other places in memory.
        Thread.sleep(forTimeInterval: 1.1)
        _ = P256PrivateKey()
        let second = try Self.live(try Board("a", seed: 7))
        for (step, (one, other)) in zip(first, second).enumerated() { #expect(one == other, "step \(step)") }
        let third = try Self.live(try Board("a", seed: 8))
        #expect(zip(first, third).allSatisfy { $0 != $1 })
    }

    @Test func withoutASeedEachIsItsOwn() throws {
        let (first, second) = (try Self.live(try Board("a", seed: nil)), try Self.live(try Board("a", seed: nil)))
        #expect(zip(first, second).allSatisfy { $0 != $1 })
    }

    /// Two in one process, step by step, are as each alone.
    @Test func interleaved() throws {
        let alone = (try Self.live(try Board("a", seed: 7)), try Self.live(try Board("b", seed: 7)))
        let (a, b) = (try Board("a", seed: 7), try Board("b", seed: 7))
        for (step, act) in Self.life.enumerated() {
            #expect(try act(a) == alone.0[step], "a, step \(step)")
            #expect(try act(b) == alone.1[step], "b, step \(step)")
        }
    }

    /// What the TPM says of its time is the node's, to the millisecond, whatever the machine's clock does.
    @Test func theClockIsTheNodes() throws {
        let board = try Board()
        let before = try board.stack.clock()
        Thread.sleep(forTimeInterval: 0.05)
        #expect(try board.stack.clock().time == before.time)
        board.now = board.now + .milliseconds(86_400_123)
        let after = try board.stack.clock()
        #expect(after.time - before.time == 86_400_123)
        #expect(after.info.clock - before.info.clock == 86_400_123)
    }

    /// Outside of a TPM the process has its own clock and its own randomness.
    @Test func theProcessKeepsItsOwn() throws {
        let board = try Board()
        board.now = board.now + .seconds(1_000_000_000)
        _ = try board.stack.random(8)
        let before = WallTime.now()
        Thread.sleep(forTimeInterval: 0.02)
        let passed = WallTime.now() - before
        #expect(0.01...10 ~= passed)
        #expect(P256PrivateKey().publicKey != P256PrivateKey().publicKey)
    }

    private enum WallTime {
        static func now() -> Double {
            var time = timespec()
            unsafe clock_gettime(CLOCK_MONOTONIC, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
    }
}
