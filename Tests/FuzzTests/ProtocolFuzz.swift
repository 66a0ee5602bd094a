import Emulator
import Formats
import SecureChannel
import Testing
import Wire

@testable import Exchange
@testable import Kernel
@testable import Silicon
@testable import TUF

/// What comes over wires and cables.
@Suite struct ProtocolFuzz {
    private static let frames: [Frame] = [
        .hello(Hello(node: "fridge-1", generation: 3, publicIdentity: "ab")), .welcome(clock: .virtual, now: Instant(nanoseconds: 5)),
        .grant(
            Grant(
                until: Instant(nanoseconds: 9), lookahead: .milliseconds(8),
                deliveries: [
                    Delivery(at: .start, source: "a", sequence: 2, event: .received(StreamID(raw: 7), [1, 2, 3])),
                    Delivery(at: .start, source: "b", sequence: 4, event: .resolved(query: 4, nil)),
                ])),
        .yield(
            Yield(
                effects: [
                    Effect(at: .start, sequence: 0, action: .connect(StreamID(raw: 1), to: Endpoint(Address(bits: 1), 443))),
                    Effect(at: .start, sequence: 1, action: .observe(Fact(.handshake, [.result: "accepted", .count: -5]))),
                ], nextWork: .never, nextSend: .start)),
        .journal([Observation(at: .start, node: "ü", sequence: 1, fact: Fact(.osReady))]),
        .processWanted(ProcessOrder(.clone, node: "x", generation: 0, template: "y")), .progress(.start, dropped: 7), .refused("why"),
        .capture([9]),
    ]

    @Test func frames() throws {
        let samples = ProtocolFuzz.frames.map { $0.encoded() }
        try Fuzz.run("frame") { (fuzz: inout Fuzz) throws in
            guard let frame = try? Frame(bytes: fuzz.mutated(samples)) else { return }
            #expect(try Frame(bytes: frame.encoded()) == frame)
        }
    }

    @Test func http() throws {
        let requests = [
            "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", "POST /u HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
            "POST /u HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ]
        let responses = [
            "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nhi",
            "HTTP/1.1 503 No\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n",
        ]
        let words = [
            "-1", "99999999999999999999", "9223372036854775807", "chunked", "HTTP/9.9", "000", "\u{0}", "FFFFFFFFFFFFFFFF", "\r\n",
        ]
        try Fuzz.run("http") { fuzz in
            let isServer = fuzz.isOne(in: 2)
            let bytes = fuzz.mutatedText(isServer ? requests : responses, words: words)
            let channel = HTTPChannel(isServer: isServer, bodyLimitBytes: 4096)
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(1 + fuzz.below(64)))
                rest = rest.dropFirst(part.count)
                do {
                    if isServer {
                        for request in try channel.receiveRequests(part) {
                            #expect(request.body.count <= 4096)
                            _ = try channel.encode(Response(200, body: request.body), to: request, unixSeconds: 0)
                        }
                    } else {
                        for response in try channel.receiveResponses(part) {
                            #expect((0...86_400).contains(response.retryAfterSeconds ?? 0))
                        }
                    }
                } catch { break }
            }
        }
    }

    /// A head that never ends is refused before it fills the memory.
    @Test func anEndlessHeadIsRefused() {
        let channel = HTTPChannel(isServer: true)
        #expect(throws: HTTPError.self) {
            _ = try channel.receiveRequests(Array("GET / HTTP/1.1\r\n".utf8))
            for number in 0..<100_000 { _ = try channel.receiveRequests(Array("x-\(number): aaaaaaaaaaaaaaaaaaaaaaaa\r\n".utf8)) }
        }
    }

    @Test func tuf() throws {
        let key = TUFSigningKey(P256PrivateKey())
        let names = ["root", "timestamp", "snapshot", "targets"]
        let root = TUFDocument.root(
            version: 1, expires: 9000,
            roles: Dictionary(uniqueKeysWithValues: names.map { ($0, TUFDocument.Role(keys: [key.key.publicKey], threshold: 1)) }))
        let targets = TUFDocument.targets(version: 1, expires: 3000, targets: ["a": .init(length: 1, sha256: sha256([7]))])
        let targetsFile = TUFDocument.file(targets, signedBy: [key])
        let snapshot = TUFDocument.snapshot(version: 1, expires: 3000, targetsVersion: 1, targets: targetsFile)
        let snapshotFile = TUFDocument.file(snapshot, signedBy: [key])
        let timestamp = TUFDocument.timestamp(version: 1, expires: 3000, snapshotVersion: 1, snapshot: snapshotFile)
        let documents = ["timestamp.json": timestamp, "1.snapshot.json": snapshot, "1.targets.json": targets, "2.root.json": root]
        let texts = documents.mapValues { String(decoding: $0.canonical, as: UTF8.self) }
        let words = [
            "-1", "0", "9223372036854775807", "-9223372036854775808", "1e300", "null", "[]", "{}", "\"\"", "\"9999-99-99T99:99:99Z\"",
            "\"0000-01-01T00:00:00Z\"", "\"ff\"", "true", "1025", String(repeating: "[", count: 3000),
        ]
        try Fuzz.run("tuf") { fuzz in
            let name = fuzz.one(of: documents.keys.sorted())
            // Signed: a repository whose keys are stolen may say anything. Or not: what is no document at all.
            let bytes = fuzz.mutatedText([texts[name] ?? ""], words: words)
            let isSigned = fuzz.isOne(in: 4) ? nil : JSONValue(bytes: bytes).map { TUFDocument.file($0, signedBy: [key]) }
            var served = documents.mapValues { TUFDocument.file($0, signedBy: [key]) }
            served["2.root.json"] = nil
            served[name] = isSigned ?? bytes
            var client = try TUFClient(files: ["root.json": TUFDocument.file(root, signedBy: [key])])
            var asked = 0
            func follow(_ first: TUFClient.Step) -> TUFClient.Step {
                var step = first
                while case .fetch(let path, _) = step, asked < 1000 {
                    asked += 1
                    step = client.received(served[path], now: 0)
                }
                return step
            }
            if follow(client.begin()) == .done { _ = follow(client.find("a", now: 0)) }
            #expect(asked < 1000)
            if let value = JSONValue(bytes: bytes) { _ = JSONValue(bytes: value.canonical) }
            _ = try? TUFClient(files: ["root.json": bytes])
        }
    }

    /// A debugger that says anything, to a core that runs anything.
    @Test func gdb() throws {
        let packets = [
            "?", "g", "p10", "P5=01000000", "m0,10", "M100000,4:01020304", "Z0,100000,2", "z1,100000,4", "s", "vCont;s:1", "vCont?",
            "qSupported", "qXfer:features:read:target.xml:0,fff", "qC", "Hg0", "mfffffffc,8", "Mfffffffe,4:01020304",
            "G" + String(repeating: "f", count: 136),
            "m20000000,1000", "M20000000,2:00df", "Pf=ffffffff", "P19=00000000", "qXfer:features:read:target.xml:7fffffffffffffff,1",
        ]
        // Vector table, then a branch to itself in Thumb.
        let words: [UInt32] = [0x2000_0000, 0x0010_0009, 0xE7FE_E7FE, 0]
        let file = ProtocolFuzz.firmware(words)
        try Fuzz.run("gdb") { fuzz in
            let emulation = try Emulation(try ELFImage(file), attach: []) { _, _ in }
            let session = DebugSession(emulation)
            var stream: [UInt8] = []
            for _ in 0..<20 {
                let packet =
                    fuzz.isOne(in: 2) ? fuzz.one(of: packets) : String(decoding: fuzz.mutatedText(packets, words: packets), as: UTF8.self)
                stream += DebugProtocol.frame(packet)
            }
            if fuzz.isOne(in: 2) { stream = fuzz.mutated([stream]) }
            fuzz.keep(stream)
            var decoder = DebugProtocol()
            while !stream.isEmpty {
                let part = Array(stream.prefix(1 + fuzz.below(200)))
                stream.removeFirst(part.count)
                for command in decoder.take(part).commands {
                    guard case .packet(let text) = command else {
                        _ = session.interrupt()
                        continue
                    }
                    _ = session.answer(text)
                    if session.state == .running { _ = session.run(for: 10_000) }
                }
            }
        }
    }

    /// A megabyte of noise costs no more than reading it.
    @Test func noiseForTheDebuggerIsSkipped() {
        var decoder = DebugProtocol()
        let begun = ContinuousClock.now
        #expect(decoder.take([UInt8](repeating: 0x41, count: 1 << 20)).commands.isEmpty)
        #expect(decoder.take([UInt8](repeating: 0x03, count: 1 << 18)).commands.count == 1 << 18)
        #expect(ContinuousClock.now - begun < .seconds(20))
    }

    private static func firmware(_ words: [UInt32]) -> [UInt8] {
        let bytes = words.littleEndianBytes
        var file: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
        file += UInt16(2).littleEndianBytes + UInt16(40).littleEndianBytes
        file += ([1, 0x10_0009, 52, 0, 0x0500_0000] as [UInt32]).littleEndianBytes
        for half in [52, 32, 1, 40, 0, 0] as [UInt16] { file += half.littleEndianBytes }
        file += ([1, 84, 0x10_0000, 0x10_0000, UInt32(bytes.count), UInt32(bytes.count), 5, 4] as [UInt32]).littleEndianBytes
        return file + bytes
    }

    @Test func xmodem() throws {
        try Fuzz.run("xmodem") { fuzz in
            let content = fuzz.bytes(upTo: 5000)
            var sender = XMODEMSender(content)
            var sent = 0
            let said: [UInt8] = [6, 21, 24, UInt8(ascii: "C"), 0, 0xFF]
            for _ in 0..<200 where sender.state == .sending {
                let answer = sender.receive(fuzz.isOne(in: 4) ? UInt8(fuzz.below(256)) : fuzz.one(of: said))
                sent += answer.count
                #expect(answer.count <= 1029)
                #expect((0...1).contains(sender.progress))
            }
            #expect(sent <= 201 * 1029)
        }
    }

    /// The resolver inside the device, which programs ask.
    @Test func names() throws {
        let sample: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 2, 98, 99, 0, 0, 1, 0, 1]
        try Fuzz.run("dns") { fuzz in
            guard let question = DNSQuestion(fuzz.mutated([sample])) else { return }
            #expect(question.answer(0x0A00_0001).count > 16)
        }
    }
}
