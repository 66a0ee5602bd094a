import Foundation
import SecureChannel
import Testing

/// Paths that are wrong by one thing, and their neighbours that are right: RFC 5280 and RFC 9525 case by case.
@Suite struct CertificatePathTests {
    @Test func eachCaseIsAnsweredByItsRule() async throws {
        let testbed = try Testbed()
        let script = try testbed.write(CertificateCases.script, "cases.py")
        let output = try await testbed.tool(Testbed.root + "/.build/python/bin/python", [script])
        let cases = try JSONDecoder().decode([CertificateCases.Case].self, from: Data(output.utf8))
        #expect(cases.count > 70)
        for item in cases {
            let root = try #require([UInt8](hex: item.root))
            let leaf = try #require([UInt8](hex: item.leaf))
            let others = try item.others.map { try #require([UInt8](hex: $0)) }
            let refusal = try PathValidator(roots: [root], others: others).refusal(of: leaf, host: item.host, unixSeconds: item.time)
            // What only the links' profile refuses is a valid path.
            check(item.name, refusal?.words, item.isProfile ? nil : item.refusal)
            guard item.isProfile else { continue }
            let words = try shake(root: root, chain: [leaf] + others, key: #require([UInt8](hex: item.key)), item)
            check(item.name, words, item.refusal)
        }
    }

    private func check(_ name: String, _ refusal: String?, _ expected: String?) {
        if let expected {
            #expect(refusal?.contains(expected) == true, "\(name): \(refusal ?? "accepted")")
        } else {
            #expect(refusal == nil, "\(name)")
        }
    }

    /// A handshake with a server that shows this chain: why the client refuses it, nil if it does not.
    private func shake(root: [UInt8], chain: [[UInt8]], key: [UInt8], _ item: CertificateCases.Case) throws -> String? {
        let identity = try TLSConfiguration.Identity(chain: chain.map { try Certificate(der: $0) }, key: P256PrivateKey(scalar: key))
        let rule = try TLSConfiguration.PeerRule(
            roots: [Certificate(der: root)], isCertificateRequired: false, profile: .init(longestLeafSeconds: 90_000))
        let client = TLSConnection(
            try TLSConfiguration(role: .client, identity: nil, rule: rule), host: item.host, unixSeconds: item.time)
        let server = TLSConnection(
            try TLSConfiguration(role: .server, identity: identity, rule: .anybody), host: nil, unixSeconds: item.time)
        for _ in 0..<8 {
            server.receive(client.takeOutput())
            client.receive(server.takeOutput())
        }
        #expect(client.state != .handshaking)
        return client.state.reason
    }
}
