import Attestation
import Formats
import Foundation
import SecureChannel
import Silicon
import Testing

/// Each check of the appraisal, with evidence that is right in everything else.
@Suite struct PSAAppraiserTests {
    private static let kernel = UInt32(ImageType.kernel.rawValue)
    private static let good = sha256(Array("kernel".utf8))
    private let references = PSAAppraiser.references([(kernel, good.hex)])
    private let nonce = [UInt8](repeating: 7, count: 32)

    private func chip() throws -> Pluton {
        let folder = NSTemporaryDirectory() + "orrery-verifier-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(repeating: 0xFF, count: Flash.totalBytes).write(to: URL(fileURLWithPath: folder + "/base"))
        return try Pluton(
            fuses: FuseBank(path: folder + "/fuses"), flash: Flash(basePath: folder + "/base", overlayPath: folder + "/flash"),
            storage: .fuses)
    }

    private func measured(_ digest: [UInt8] = good, type: UInt32 = kernel) throws -> Pluton {
        let chip = try chip()
        _ = chip.extend(type: type, digest: digest, signer: digest)
        return chip
    }

    private func appraisal(_ evidence: [UInt8], _ deviceID: String, knowsNonce: Bool = true) -> Appraisal {
        PSAAppraiser(references).appraise(evidence, deviceID: deviceID) { $0 == nonce.hex && knowsNonce }
    }

    private func appraise(_ evidence: [UInt8], _ deviceID: String, knowsNonce: Bool = true) -> AppraisalPolicy.Verdict {
        AppraisalPolicy.measuredBoot.decide(appraisal(evidence, deviceID, knowsNonce: knowsNonce))
    }

    @Test func goodEvidence() throws {
        let chip = try measured()
        #expect(appraise(chip.attest(nonce: nonce), chip.deviceID) == .accepted)
    }

    @Test func anotherDevicesSignature() throws {
        let (chip, other) = (try measured(), try measured())
        #expect(appraise(other.attest(nonce: nonce), chip.deviceID).reason == "signature is not this device's")
    }

    /// A device that names another's instance in a token that it signed itself.
    @Test func anotherDevicesInstance() throws {
        let key = P256PrivateKey()
        let token = PSAToken(
            nonce: nonce, instance: [1] + sha256([0]), implementation: Pluton.implementation,
            components: [.init(type: "\(Self.kernel)", measurement: Self.good, signer: Self.good)])
        let signature = key.sign(digest: sha256(CoseSign1.toBeSigned(token.encoded())))
        let evidence = CoseSign1(payload: token.encoded(), signature: signature).encoded()
        #expect(appraise(evidence, key.publicKey.bytes.hex).reason == "instance ID is another device's")
    }

    @Test func changedMeasurementInsideSignedEvidence() throws {
        let chip = try measured()
        var message = try CoseSign1(chip.attest(nonce: nonce))
        message.payload[message.payload.count - 50] ^= 1
        #expect(appraise(message.encoded(), chip.deviceID) != .accepted)
    }

    @Test func usedOrUnknownNonce() throws {
        let chip = try measured()
        #expect(
            appraise(chip.attest(nonce: nonce), chip.deviceID, knowsNonce: false).reason == "nonce is unknown, used or expired")
        let stale = chip.attest(nonce: [UInt8](repeating: 8, count: 32))
        #expect(appraise(stale, chip.deviceID).reason == "nonce is unknown, used or expired")
    }

    @Test func unknownMissingAndStrangeMeasurements() throws {
        let changed = try measured(sha256([1]))
        #expect(appraise(changed.attest(nonce: nonce), changed.deviceID).reason == "measurement of kernel is not a reference value")
        let strange = try measured(type: 99)
        #expect(appraise(strange.attest(nonce: nonce), strange.deviceID).reason == "measurement of type 99 is not a reference value")
        let bare = PSAAppraiser(PSAAppraiser.references([(Self.kernel, Self.good.hex), (1, Self.good.hex)]))
        let chip = try measured()
        #expect(
            bare.appraise(chip.attest(nonce: nonce), deviceID: chip.deviceID) { _ in true }.finding?.reason
                == "a boot stage was not measured")
    }

    @Test func nonsense() throws {
        let chip = try measured()
        for evidence: [UInt8] in [[], [0xFF], Array("no evidence".utf8)] {
            guard let why = appraise(evidence, chip.deviceID).reason else {
                Issue.record("nonsense was accepted")
                continue
            }
            #expect(why.hasPrefix("evidence does not parse"))
        }
        #expect(appraise(chip.attest(nonce: nonce), "00").reason == "device ID is not a P-256 key")
    }

    /// What each kind of finding says of the attester (draft-ietf-rats-ar4si section 2.3.4).
    @Test func vectors() throws {
        let (chip, other, changed) = (try measured(), try measured(), try measured(sha256([1])))
        let good = appraisal(chip.attest(nonce: nonce), chip.deviceID).vector
        #expect(
            good == .init([.instanceIdentity: .affirmed, .hardware: .affirmed, .configuration: .affirmed, .executables: .approvedBoot]))
        #expect(good.status == .affirming)
        let foreign = appraisal(other.attest(nonce: nonce), chip.deviceID).vector
        #expect(foreign[.hardware] == .cryptographyFailed && foreign.status == .contraindicated)
        let strange = appraisal(changed.attest(nonce: nonce), changed.deviceID).vector
        #expect(strange[.executables] == .unrecognizedExecutables && strange[.instanceIdentity] == .affirmed)
        #expect(strange.status == .warning)
        let stale = appraisal(chip.attest(nonce: nonce), chip.deviceID, knowsNonce: false).vector
        #expect(stale == .init() && stale.status == .none)
        #expect(appraisal([1], chip.deviceID).vector[.executables] == .unknownEvidence)
    }
}
