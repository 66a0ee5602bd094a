import Fabric
import Faults
import SecureChannel
import Testing
import Wire

/// What a side sends just before it closes arrives: an end or a reset travels behind the data (RFC 9293 sections 3.5 and 3.6).
@Suite struct LastWordsTests {
    private static let accepted = StreamID(raw: StreamID.accepted | 1)

    private func connected(_ wires: inout Wires) {
        wires.act("b", .listen(port: 443))
        wires.run()
        wires.act("a", .connect(StreamTests.stream, to: StreamTests.server))
        wires.run()
    }

    /// The other side is in the middle of a long request all the while.
    @Test(arguments: 1...9) func anAnswerBeforeACloseArrives(milliseconds: Int) {
        var wires = Wires()
        connected(&wires)
        let begun = wires.fabric.now + .seconds(1)
        wires.act("b", .send(Self.accepted, [1]), at: begun)
        wires.act("b", .close(Self.accepted), at: begun)
        for number in 0..<20 { wires.act("a", .send(StreamTests.stream, [2]), at: begun + .milliseconds(milliseconds * number)) }
        wires.run()
        let heard = Array(wires.events(at: "a").dropFirst().prefix(2))
        #expect(heard == [.received(StreamTests.stream, [1]), .closed(StreamTests.stream, .finished)])
    }

    /// Bytes wait for a slow link; the reset does not overtake them.
    @Test func aResetComesBehindTheData() {
        var wires = Wires(bitsPerSecond: 80_000)
        connected(&wires)
        wires.act("b", .send(Self.accepted, [UInt8](repeating: 1, count: 10_000)))
        wires.act("b", .reset(Self.accepted))
        wires.act("a", .send(StreamTests.stream, [2]), at: wires.fabric.now + .milliseconds(1))
        wires.run()
        let heard = Array(wires.events(at: "a").dropFirst())
        #expect(heard == [.received(StreamTests.stream, [UInt8](repeating: 1, count: 10_000)), .closed(StreamTests.stream, .reset)])
    }

    @Test func whoSendsOnWhatIsOverIsToldSo() {
        var wires = Wires()
        connected(&wires)
        wires.act("b", .close(Self.accepted))
        wires.run()
        wires.act("a", .send(StreamTests.stream, [2]), at: wires.fabric.now + .seconds(1))
        wires.run()
        #expect(wires.events(at: "a").suffix(2) == [.closed(StreamTests.stream, .finished), .closed(StreamTests.stream, .reset)])
    }

    /// Nothing is left of a connection that both have closed, before either could hear of the other: nobody hears of it again.
    @Test func closedByBothItIsGone() {
        var wires = Wires()
        connected(&wires)
        wires.fabric.begin(PartitionFault(), id: "f", networks: ["home"], nodes: [])
        wires.act("a", .close(StreamTests.stream))
        wires.act("b", .close(Self.accepted))
        wires.run(until: wires.fabric.now + .seconds(1))
        wires.fabric.end("f")
        wires.run()
        let heard = wires.events(at: "a").count
        wires.fabric.takeDown("b", hostStaysUp: true)
        wires.run()
        #expect(wires.events(at: "a").count == heard)
    }

    /// A server that will not have a client's certificate says so and closes, while the client, which has long been done, sends a request.
    @Test func aTLSAlertBeforeACloseArrives() throws {
        let (root, other) = (try Authority("root"), try Authority("other"))
        let now = Authority.now
        let client = TLSConnection(
            try TLSConfiguration(role: .client, identity: other.identity("client"), rule: root.rule), host: "server", unixSeconds: now)
        let server = TLSConnection(
            try TLSConfiguration(role: .server, identity: root.identity("server"), rule: root.rule), host: nil, unixSeconds: now)
        var wires = Wires()
        connected(&wires)
        wires.act("a", .send(StreamTests.stream, client.takeOutput()))
        var wasReset = false
        var hasClosed = false
        wires.play { wires, node, delivery in
            switch (node, delivery.event) {
            case ("b", .received(_, let bytes)) where !hasClosed:
                server.receive(bytes)
                let out = server.takeOutput()
                if !out.isEmpty { wires.act("b", .send(Self.accepted, out), at: delivery.at) }
                guard case .failed = server.state else { return }
                hasClosed = true
                wires.act("b", .close(Self.accepted), at: delivery.at)
            case ("a", .received(_, let bytes)):
                let wasOpen = client.state == .open
                client.receive(bytes)
                guard !wasOpen, client.state == .open else { return }
                // A long request, a piece every three milliseconds.
                wires.act("a", .send(StreamTests.stream, client.takeOutput()), at: delivery.at)
                for number in 1...40 {
                    client.send([UInt8](repeating: 7, count: 100))
                    wires.act("a", .send(StreamTests.stream, client.takeOutput()), at: delivery.at + .milliseconds(3 * number))
                }
            case ("a", .closed(_, .reset)): wasReset = wasReset || client.state == .open
            default: break
            }
        }
        #expect(hasClosed && !wasReset)
        guard case .failed(.alert) = client.state else {
            Issue.record("the client has not heard the alert: \(client.state)")
            return
        }
    }

    private struct Authority {
        static let now: Int64 = 1_767_225_600
        private let key = P256PrivateKey()
        private let certificate: Certificate

        init(_ name: String) throws {
            certificate = try CertificateTemplate(
                commonName: name, organization: "test", serial: [1], notBefore: Self.now - 100, notAfter: Self.now + 1_000_000,
                usage: .authority(pathLength: 0)
            ).issue(for: key.publicKey, by: key, issuer: nil)
        }

        func identity(_ host: String) throws -> TLSConfiguration.Identity {
            let own = P256PrivateKey()
            let leaf = try CertificateTemplate(
                commonName: host, organization: "test", serial: [2], notBefore: Self.now - 10, notAfter: Self.now + 3600, hostNames: [host],
                usage: .endEntity
            ).issue(for: own.publicKey, by: key, issuer: certificate)
            return .init(chain: [leaf], key: own)
        }

        var rule: TLSConfiguration.PeerRule {
            .init(roots: [certificate], isCertificateRequired: true, profile: .init(longestLeafSeconds: 90_000), accept: { _ in nil })
        }
    }
}
