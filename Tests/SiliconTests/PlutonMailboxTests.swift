import Formats
import Foundation
import SecureChannel
import Testing

@testable import Silicon

@Suite struct PlutonMailboxTests {
    private let scratch: Scratch
    private let fuses: FuseBank
    private let pluton: Pluton

    init() throws {
        scratch = try Scratch()
        fuses = try scratch.fuses()
        pluton = try Pluton(fuses: fuses, flash: scratch.flash(), storage: .fuses)
    }

    private var mailbox: PlutonMailbox { PlutonMailbox(pluton: pluton, fuses: fuses, seed: [1]) }

    /// Sends a request in buffer 32 and takes the answer.
    private func ask(_ mailbox: inout PlutonMailbox, _ command: PlutonMailbox.Command, _ request: [UInt8] = []) -> [UInt8]? {
        mailbox.fill(32, UInt16(request.count).littleEndianBytes + [0, 0] + request)
        guard case .success(let word?) = mailbox.take(PlutonMailbox.word(command, sequence: 7)) else { return nil }
        #expect(word & 0x00FF_FFFF == PlutonMailbox.word(command, sequence: 7, buffer: 0))
        let index = UInt8(word >> 24)
        defer { mailbox.free(index) }
        return mailbox.payload(index)
    }

    @Test func commandsAreAnswered() throws {
        var mailbox = mailbox
        let state = try #require(ask(&mailbox, .getSecurityState))
        #expect(state == [2, 0, 0, 0] + pluton.generalPublicKey.bytes + pluton.devicePublicKey.bytes)
        #expect(ask(&mailbox, .readRandom)?.count == 4)
        mailbox.capabilities = [1, 12]
        #expect(ask(&mailbox, .isCapabilityEnabled, [12, 0, 0, 0]) == [1, 0, 0, 0])
        #expect(ask(&mailbox, .isCapabilityEnabled, [2, 0, 0, 0]) == [0, 0, 0, 0])
        #expect(ask(&mailbox, .getEnabledCapabilities)?.prefix(6) == [1, 0, 12, 0, 0, 0])
        #expect(ask(&mailbox, .setPostcode, [5, 0, 0, 0]) == nil && mailbox.postcode == 5)
        #expect(!mailbox.wantsReset && ask(&mailbox, .deviceReset) == nil && mailbox.wantsReset)
    }

    @Test func tenantsHaveKeysOfTheirOwnAndNewOnesCountWhenCommitted() throws {
        var mailbox = mailbox
        let (one, other) = ([UInt8](repeating: 1, count: 64), [UInt8](repeating: 2, count: 64))
        let key = try #require(ask(&mailbox, .getTenantPublicKey, one))
        #expect(try #require(ask(&mailbox, .getTenantPublicKey, other)) != key)
        let digest = sha256([9])
        let signature = try #require(ask(&mailbox, .signWithTenantKey, one + digest))
        #expect(try P256PublicKey(key).isValid(signature: signature, digest: digest))
        #expect(ask(&mailbox, .commitClientAuthKey) == [1, 0, 0, 0])
        #expect(ask(&mailbox, .generateClientAuthKey) == [0, 0, 0, 0] && ask(&mailbox, .getTenantPublicKey, one) == key)
        #expect(ask(&mailbox, .commitClientAuthKey) == [0, 0, 0, 0] && ask(&mailbox, .getTenantPublicKey, one) != key)
    }

    @Test func attestationIsBoundToTheNonce() throws {
        #expect(pluton.extend(type: 1, digest: sha256([1]), signer: sha256([2])))
        var mailbox = mailbox
        let nonce = [UInt8](repeating: 3, count: 32)
        let answer = try #require(ask(&mailbox, .processAttestation, nonce))
        #expect(answer.count == 4 + 64 + 64 + 4 + 20 * 36 && Array(answer[4..<68]) == pluton.devicePublicKey.bytes)
        let key = try P256PublicKey(Array(answer[4..<68]))
        #expect(key.isValid(signature: Array(answer[68..<132]), digest: sha256(nonce + answer[132...])))
        #expect(!key.isValid(signature: Array(answer[68..<132]), digest: sha256([UInt8](repeating: 4, count: 32) + answer[132...])))
        #expect(Array(answer[132..<140]) == [1, 0, 0, 0, 1, 0, 0, 0] && Array(answer[140..<172]) == sha256([1]))
    }

    @Test func statesOnlyGoForward() throws {
        let fresh = try Scratch().fuses()
        #expect(fresh.securityState == .test && fresh.manufacturingState == .blank)
        let other = try Scratch()
        var mailbox = PlutonMailbox(pluton: try Pluton(fuses: other.fuses(), flash: other.flash(), storage: .fuses), fuses: fresh, seed: [])
        func set(_ magic: UInt32, _ state: UInt32) -> [UInt8]? {
            ask(&mailbox, .setManufacturingState, magic.littleEndianBytes + state.littleEndianBytes)
        }
        let magic = PlutonMailbox.manufacturingMagic
        #expect(set(1, 1) == [1, 0, 0, 0] && set(magic, 9) == [1, 0, 0, 0] && fresh.manufacturingState == .blank)
        #expect(set(magic, 1) == [0, 0, 0, 0] && fresh.manufacturingState == .module1Complete)
        #expect(set(magic, 2) == [0, 0, 0, 0] && set(magic, 1) == [1, 0, 0, 0] && fresh.manufacturingState == .deviceComplete)
        for state in SecurityState.allCases { #expect(fresh.advance(to: state) && fresh.securityState == state) }
        #expect(!fresh.advance(to: SecurityState.secure))
    }

    /// A chip that is taken out of service says so in its evidence.
    @Test func evidenceTellsTheLifeCycle() throws {
        #expect(pluton.extend(type: 1, digest: sha256([1]), signer: sha256([2])))
        func lifeCycle() throws -> Int64 {
            try PSAToken(CoseSign1(pluton.attest(nonce: [UInt8](repeating: 0, count: 32))).payload).lifecycle
        }
        #expect(try lifeCycle() == PSAToken.secured)
        #expect(fuses.advance(to: .endOfLife))
        #expect(try lifeCycle() == 0x6000)
    }

    @Test func whatBreaksTheRulesIsNotAnswered() {
        var mailbox = mailbox
        let good = PlutonMailbox.word(.processAttestation, sequence: 1)
        #expect(mailbox.take(good & ~0xFF | 3) == .failure(.version(3)))
        #expect(mailbox.take(good & ~0xFF00) == .failure(.reservedSequence))
        #expect(mailbox.take(good & 0xFF00_FFFF | 0x99 << 16) == .failure(.unknownCommand(0x99)))
        #expect(mailbox.take(good) == .failure(.buffer(32)))
        mailbox.fill(32, [28, 0, 0, 0] + [UInt8](repeating: 0, count: 28))
        #expect(mailbox.take(good) == .failure(.size(28)))
        mailbox.fill(32, [32, 0, 0, 0] + [UInt8](repeating: 0, count: 31))
        #expect(mailbox.take(good) == .failure(.buffer(32)))
        mailbox.fill(5, [32, 0, 0, 0] + [UInt8](repeating: 0, count: 32))
        #expect(mailbox.take(PlutonMailbox.word(.processAttestation, sequence: 1, buffer: 5)) == .failure(.buffer(5)))
        // Nobody frees: the 33rd answer has no room.
        for _ in 0..<32 { #expect((try? mailbox.take(PlutonMailbox.word(.readRandom, sequence: 1)).get()) != nil) }
        #expect(mailbox.take(PlutonMailbox.word(.readRandom, sequence: 1)) == .failure(.noBuffer))
    }

    @Test func fuzzedCommandsHarmNobody() {
        var mailbox = mailbox
        var state: UInt64 = 5
        for _ in 0..<3000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let bytes = (0..<Int(state >> 50 & 127)).map { UInt8(truncatingIfNeeded: state >> UInt64($0 % 50)) }
            mailbox.fill(UInt8(state >> 20 & 63), bytes)
            let command = PlutonMailbox.Command.allCases[Int(state >> 30) % PlutonMailbox.Command.allCases.count]
            _ = mailbox.take(
                state & 4 == 0
                    ? UInt32(truncatingIfNeeded: state >> 16) : PlutonMailbox.word(command, sequence: 1, buffer: UInt8(state >> 20 & 63)))
            mailbox.free(UInt8(state >> 12 & 31))
        }
        #expect(fuses.securityState == .secure)
    }

    @Test func capabilitiesAreForOneDevice() throws {
        let authority = try P256PrivateKey(scalar: sha256([1]))
        let file = CapabilityFile(device: pluton.devicePublicKey, capabilities: [1, 2])
        let good = file.signedPart + authority.sign(digest: sha256(file.signedPart))
        #expect(try CapabilityFile(good, for: pluton.devicePublicKey, signedBy: authority.publicKey) == file)
        let other = try P256PrivateKey(scalar: sha256([2])).publicKey
        #expect(throws: CapabilityFile.Refusal.wrongDevice) { try CapabilityFile(good, for: other, signedBy: authority.publicKey) }
        #expect(throws: CapabilityFile.Refusal.badSignature) { try CapabilityFile(good, for: pluton.devicePublicKey, signedBy: other) }
        for index in good.indices {
            var changed = good
            changed[index] ^= 1
            #expect(throws: CapabilityFile.Refusal.self) {
                try CapabilityFile(changed, for: pluton.devicePublicKey, signedBy: authority.publicKey)
            }
        }
        for length in good.indices {
            #expect(throws: CapabilityFile.Refusal.malformed) {
                try CapabilityFile(Array(good[..<length]), for: pluton.devicePublicKey, signedBy: authority.publicKey)
            }
        }
    }
}
