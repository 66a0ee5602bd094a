import ArgumentParser
import CommandSupport
import Formats
import Foundation
import SecureChannel

/// Evidence of whatever origin, appraised as the service appraises a device's.
struct EvidenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence", abstract: "Appraise attestation evidence (PSA tokens, RFC 9783) of any origin.", subcommands: [Verify.self]
    )

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify a token and print its claims, or why it is refused, by clause.",
            discussion: """
                The token is a COSE_Sign1 with ES256, ES384 or ES512, as a file of bytes or of hexadecimal digits. Ends with 0 if it is \
                accepted, with 1 if it is refused, and with 64 if the file or the key cannot be read.
                """)

        @Argument(help: "The token.") var file: String
        @Option(help: "A public key in PEM, a COSE_Key (RFC 9052 section 7), or a device ID of 128 hexadecimal digits.") var key: String
        @Option(help: "The nonce that the token must answer, in hexadecimal; without it, freshness is not checked.") var nonce: String?
        @Flag(help: "Print the result as JSON.") var json = false

        func run() throws {
            let read = Self.read(file)
            let text = String(decoding: read, as: UTF8.self).filter { !$0.isWhitespace }
            let bytes = text.isEmpty ? read : [UInt8](hex: text) ?? read
            let expected = try nonce.map { (text: String) throws -> [UInt8] in
                guard let bytes = [UInt8](hex: text) else { throw ValidationError("--nonce: '\(text)' is not hexadecimal") }
                return bytes
            }
            var result = Result(freshness: expected == nil ? .notChecked : .failed)
            do {
                let message = try CoseSign1(bytes)
                let token = try PSAToken(message.payload)
                result.claims = Result.Claims(token)
                try check(message, token)
                if let expected {
                    guard token.nonce == expected else { throw Refusal("the nonce is another than was given (RFC 9783 4.1.1)") }
                    result.freshness = .checked
                }
            } catch let error as EvidenceError {
                result.refusal = "\(error)"
            } catch let error as Refusal {
                result.refusal = error.words
            }
            if json { try Console.printJSON(result) } else { print(result.text, terminator: "") }
            if result.refusal != nil { throw ExitCode(1) }
        }

        private struct Refusal: Error {
            var words: String
            init(_ words: String) { self.words = words }
        }

        private static func read(_ path: String) -> [UInt8] {
            guard let data = FileManager.default.contents(atPath: path) else { Console.fail("cannot read \(path)", 64) }
            return Array(data)
        }

        /// The signature, and what a verifier holds against a token that is well formed.
        private func check(_ message: CoseSign1, _ token: PSAToken) throws {
            guard let scheme = Self.schemes[message.algorithm] else { throw EvidenceError.wrongAlgorithm }
            let device = key.count == 128 ? [UInt8](hex: key) : nil
            let pem = device.map { Self.pem(point: $0) } ?? Self.pem(file: key)
            guard let verifier = VerificationKey(type: "ecdsa", scheme: scheme, text: pem) else {
                let isKey = Self.schemes.values.contains { VerificationKey(type: "ecdsa", scheme: $0, text: pem) != nil }
                if !isKey { Console.fail("'\(key)' is no public key on P-256, P-384 or P-521: PEM, COSE_Key or device ID", 64) }
                throw Refusal("the key is not on the curve of the token's algorithm (RFC 9783 5.2)")
            }
            if let reason = device == nil ? Self.limits(file: key, message.algorithm) : nil { throw Refusal(reason) }
            guard verifier.isValid(signature: derSignature(message.signature), message: message.toBeSigned) else {
                throw Refusal("the signature is not this key's (RFC 9052 4.4)")
            }
            if let device, token.instance != [1] + sha256(device) { throw Refusal("the instance ID is another device's (RFC 9783 4.2.1)") }
            guard token.majorLifecycle?.isTrustworthy == true else {
                throw Refusal("in lifecycle '\(token.majorLifecycle?.name ?? "?")' nothing it says can be trusted (RFC 9783 4.3.1)")
            }
        }

        // MARK: Keys

        /// By COSE's number, as `VerificationKey` calls it: RFC 9783 section 5.2.
        private static let schemes: [Int64: String] = [
            CoseSign1.es256: "ecdsa-sha2-nistp256", CoseSign1.es384: "ecdsa-sha2-nistp384", CoseSign1.es512: "ecdsa-sha2-nistp521",
        ]

        /// SubjectPublicKeyInfo (RFC 5480) of a point, x then y, in PEM.
        private static func pem(point: [UInt8]) -> String {
            let algorithm: [UInt8] =
                switch point.count {
                case 64:
                    [
                        0x30, 0x59, 0x30, 0x13, 6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7, 3,
                        0x42,
                    ]
                case 96: [0x30, 0x76, 0x30, 0x10, 6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, 6, 5, 0x2B, 0x81, 4, 0, 0x22, 3, 0x62]
                default:
                    [0x30, 0x81, 0x9B, 0x30, 0x10, 6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, 6, 5, 0x2B, 0x81, 4, 0, 0x23, 3, 0x81, 0x86]
                }
            let body = Data(algorithm + [0, 4] + point).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
            return "-----BEGIN PUBLIC KEY-----\n\(body)\n-----END PUBLIC KEY-----\n"
        }

        /// What a COSE_Key says that it is not for.
        private static func limits(file: String, _ algorithm: Int64) -> String? {
            guard let map = try? CBOR(read(file), takesVariations: true) else { return nil }
            if let own = map[3], own.asInteger != algorithm { return "the key is for another algorithm (RFC 9053 2.1)" }
            if let uses = map[4] {
                let verifies = uses.asArray?.contains { $0.asInteger == 2 || $0.asText == "verify" } ?? false
                if !verifies { return "the key is not for verifying: its key_ops do not have it (RFC 9052 7.1)" }
            }
            return nil
        }

        /// A file in PEM as it is, a COSE_Key (RFC 9053 section 7.1.1) rewritten.
        private static func pem(file: String) -> String {
            let bytes = read(file)
            guard let map = try? CBOR(bytes, takesVariations: true), map[1]?.asInteger == 2, let curve = map[-1]?.asInteger,
                let length = [1: 32, 2: 48, 3: 66][curve], let x = map[-2]?.asBytes, let y = map[-3]?.asBytes, x.count == length,
                y.count == length
            else { return String(decoding: bytes, as: UTF8.self) }
            return pem(point: x + y)
        }
    }

    /// What is printed.
    struct Result: Encodable {
        enum Freshness: String, Encodable {
            case checked, failed
            case notChecked = "not checked"
        }

        struct Claims: Encodable {
            struct Component: Encodable {
                var type, version, measurement, signer, description: String?
            }

            var profile = PSAToken.profile
            var nonce, instance, implementation, lifecycle, client: String
            var bootSeed, certification, verificationService: String?
            var components: [Component]

            init(_ token: PSAToken) {
                nonce = token.nonce.hex
                instance = token.instance.hex
                implementation = token.implementation.hex
                let digits = String(token.lifecycle, radix: 16)
                lifecycle = "0x\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits) (\(token.majorLifecycle?.name ?? "?"))"
                client = "\(token.client) (\(token.client > 0 ? "secure" : "non-secure"))"
                bootSeed = token.bootSeed?.hex
                certification = token.certification
                verificationService = token.verificationService
                components = token.components.map {
                    Component(
                        type: $0.type.isEmpty ? nil : $0.type, version: $0.version, measurement: $0.measurement.hex, signer: $0.signer.hex,
                        description: $0.description)
                }
            }

            var lines: [(String, String)] {
                var lines = [
                    ("profile", profile), ("nonce", nonce), ("instance", instance), ("implementation", implementation),
                    ("lifecycle", lifecycle), ("client", client),
                ]
                for (name, value) in [
                    ("boot seed", bootSeed), ("certification", certification), ("verification", verificationService),
                ] {
                    if let value { lines.append((name, Result.printable(value))) }
                }
                for component in components {
                    let kind = ImageTypeName.of(component.type) ?? component.type.map(Result.printable) ?? "component"
                    let version = component.version.map { " \(Result.printable($0))" } ?? ""
                    lines.append((kind + version, "\(component.measurement ?? "") signed by \(component.signer ?? "")"))
                }
                return lines
            }
        }

        var refusal: String?
        var freshness: Freshness
        var claims: Claims?

        /// What somebody else wrote, without what would move a terminal's cursor.
        private static func printable(_ text: String) -> String {
            String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
        }

        var text: String {
            var text = refusal.map { "refused: \($0)\n" } ?? "accepted\n"
            for (name, value) in claims?.lines ?? [] { text += "  \(name.padding(toLength: 16, withPad: " ", startingAt: 0)) \(value)\n" }
            if refusal == nil && freshness == .notChecked { text += "freshness was not checked: no --nonce was given\n" }
            return text
        }
    }

    /// Ours say the image type's number.
    private enum ImageTypeName {
        static func of(_ type: String?) -> String? { type.flatMap { UInt16($0) }.flatMap { ImageType(rawValue: $0)?.name } }
    }
}
