import Foundation
import SecureChannel
import Testing

/// NIST's Public Key Interoperability Test Suite (PKITS 1.0.1), as PyPI's `cryptography-vectors` has it: each of its end
/// entities, with all of its authorities to choose from and RFC 5280's default inputs.
@Suite struct PKITSTests {
    /// Cases whose end entity's name does not say what becomes of it: those that are valid with the default inputs.
    private static let valid: Set = [
        "AllCertificatesNoPoliciesTest2", "AllCertificatesSamePoliciesTest10", "AllCertificatesSamePoliciesTest13",
        "AllCertificatesanyPolicyTest11", "AnyPolicyTest14", "CPSPointerQualifierTest20", "DifferentPoliciesTest3",
        "OverlappingPoliciesTest6", "UserNoticeQualifierTest15", "UserNoticeQualifierTest16", "UserNoticeQualifierTest17",
        "UserNoticeQualifierTest18", "UserNoticeQualifierTest19", "inhibitAnyPolicyTest3",
    ]

    /// Cases that we answer otherwise, each with why.
    private static let otherwise: [String: String] = {
        let noRevocation = "RFC 5280 6.3 (CRLs) is no part of it: leafs live a day, and nobody fetches a CRL"
        let revocation = [
            "BadCRLIssuerNameTest5", "BadCRLSignatureTest4", "BasicSelfIssuedCRLSigningKeyTest7", "BasicSelfIssuedNewWithOldTest5",
            "BasicSelfIssuedOldWithNewTest2", "IDPwithindirectCRLTest23", "IDPwithindirectCRLTest26", "LongSerialNumberTest18",
            "MissingCRLTest1", "OldCRLnextUpdateTest11", "RevokedCATest2", "RevokedEETest3", "SeparateCertificateandCRLKeysTest20",
            "SeparateCertificateandCRLKeysTest21", "UnknownCRLEntryExtensionTest8", "UnknownCRLExtensionTest10",
            "UnknownCRLExtensionTest9", "WrongCRLTest6", "cRLIssuerTest27", "cRLIssuerTest31", "cRLIssuerTest32", "cRLIssuerTest34",
            "cRLIssuerTest35", "deltaCRLIndicatorNoBaseTest1", "deltaCRLTest10", "deltaCRLTest3", "deltaCRLTest4", "deltaCRLTest6",
            "deltaCRLTest9", "distributionPointTest2", "distributionPointTest3", "distributionPointTest6", "distributionPointTest8",
            "distributionPointTest9", "keyUsageCriticalcRLSignFalseTest4", "keyUsageNotCriticalcRLSignFalseTest5",
            "onlyContainsAttributeCertsTest14", "onlyContainsCACertsTest12", "onlyContainsUserCertsTest11", "onlySomeReasonsTest15",
            "onlySomeReasonsTest16", "onlySomeReasonsTest17", "onlySomeReasonsTest20", "onlySomeReasonsTest21",
            "pre2000CRLnextUpdateTest12",
        ]
        var list = Dictionary(uniqueKeysWithValues: revocation.map { ("Invalid\($0)", noRevocation) })
        list["ValidbasicConstraintsNotCriticalTest4"] = "RFC 5280 4.2.1.9: an authority's basic constraints must be critical"
        list["ValidDSAParameterInheritanceTest5"] = "libcrypto 3 reads no DSA key without its parameters (RFC 3279 2.3.2)"
        return list
    }()

    @Test func everyCaseIsAnsweredAsItShouldBeOrSaysWhyNot() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let libraries = root.appendingPathComponent(".build/python/lib")
        let python = try #require(
            FileManager.default.contentsOfDirectory(atPath: libraries.path).first { $0.hasPrefix("python3") }, "scripts/install --tests")
        let folder = libraries.appendingPathComponent("\(python)/site-packages/cryptography_vectors/x509/PKITS_data/certs")
        func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appendingPathComponent(name))) }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".crt") }.sorted()
        let entities = names.filter { $0.hasSuffix("EE.crt") }
        #expect(entities.count == 223)
        let anchor = "TrustAnchorRootCertificate.crt"
        let validator = try PathValidator(
            roots: [read(anchor)], others: names.filter { !$0.hasSuffix("EE.crt") && $0 != anchor }.map(read))
        var unused = Set(Self.otherwise.keys)
        for entity in entities {
            let name = String(entity.dropLast("EE.crt".count))
            let isValid = name.hasPrefix("Valid") || Self.valid.contains(name)
            // 2014-05-13: within the life of every certificate that is not about its life.
            let refusal = try validator.refusal(of: read(entity), unixSeconds: 1_400_000_000)
            if unused.remove(name) == nil {
                #expect((refusal == nil) == isValid, "\(name): \(refusal?.words ?? "accepted")")
            } else {
                #expect((refusal == nil) != isValid, "\(name) is answered as PKITS wants it after all")
            }
        }
        #expect(unused.isEmpty)
    }
}
