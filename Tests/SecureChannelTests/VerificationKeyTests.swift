import Foundation
import SecureChannel
import Testing

/// Keys of update metadata in PEM: the usual kind is read in a short way, which takes and refuses what the long one does.
@Suite struct VerificationKeyTests {
    private func key(_ text: String, bits: String = "256") -> VerificationKey? {
        VerificationKey(type: "ecdsa", scheme: "ecdsa-sha2-nistp\(bits)", text: text)
    }

    private func pem(_ der: [UInt8], label: String = "PUBLIC KEY") -> String {
        "-----BEGIN \(label)-----\n\(Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed]))\n-----END \(label)-----\n"
    }

    @Test func theUsualKeyIsReadAndVerifies() throws {
        let own = P256PrivateKey()
        let message: [UInt8] = [1, 2, 3]
        let signature = derSignature(own.sign(digest: sha256(message)))
        let text = own.publicKey.pem
        for text in [text, "for whoever reads this\n" + text, text + text] {
            let read = try #require(key(text))
            #expect(read.encoded.suffix(64) == own.publicKey.bytes && read.encoded.count == 91)
            #expect(pem(read.encoded) == own.publicKey.pem)
            #expect(read.isValid(signature: signature, message: message))
            #expect(!read.isValid(signature: signature, message: [1, 2, 4]))
        }
    }

    @Test func whatIsNoSuchKeyIsRefused() throws {
        let good = try #require(key(P256PrivateKey().publicKey.pem)).encoded
        #expect(key(pem(good)) != nil)
        var off = good
        off[90] ^= 1
        #expect(key(pem(off)) == nil, "a point that is not on the curve")
        #expect(key(pem(good.dropLast())) == nil)
        #expect(key(pem(good), bits: "384") == nil)
        #expect(key(pem(good, label: "CERTIFICATE")) == nil)
        #expect(key(pem(good).replacing("-----END", with: "----END")) == nil)
        #expect(key("") == nil)
    }
}
