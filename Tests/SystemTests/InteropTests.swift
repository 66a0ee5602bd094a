import Foundation
import Testing

/// Other people's tools look at what our processes say to each other.
@Suite(.serialized) struct InteropTestsSerial {
    /// A run with a capture and a key log; returns its folder.
    private func record(_ testbed: Testbed) async throws -> String {
        let file = try testbed.write(RunTestsSerial.topology, "pair.yaml")
        let ended = try await testbed.orrery(["run", file, "--capture", "--keylog", "--stop-after", "1h"])
        #expect(ended.code == 0, "\(ended.output) \(ended.errors)")
        return testbed.folder + "/runs/pair/latest"
    }

    @Test func tsharkSeesTLS13WithTwoVerifiedCertificates() async throws {
        let testbed = try Testbed()
        let run = try await record(testbed)
        func fields(_ filter: String, _ names: [String]) async throws -> [[String]] {
            let arguments = ["-r", run + "/capture.pcapng", "-o", "tls.keylog_file:\(run)/keys.log", "-Y", filter, "-T", "fields"]
            return try await testbed.tool("tshark", arguments + names.flatMap { ["-e", $0] })
                .split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
        }
        let versions = try await fields(
            "tcp.srcport==4443 && tls.handshake.type==2", ["tls.handshake.extensions.supported_version", "tls.handshake.ciphersuite"])
        #expect(!versions.isEmpty)
        #expect(versions.allSatisfy { $0 == ["0x0304", "0x1301"] }, "\(versions)")
        // Certificate (11) and Certificate Verify (15), once from each side of every device-to-device connection.
        let server = try await fields("tcp.srcport==4443 && tls.handshake.type==15", ["tcp.stream", "tls.handshake.type"])
        let client = try await fields("tcp.dstport==4443 && tls.handshake.type==15", ["tcp.stream", "tls.handshake.type"])
        #expect(Set(server.map(\.[0])) == Set(client.map(\.[0])))
        #expect(server.count == versions.count && client.count == versions.count)
        #expect((server + client).allSatisfy { $0[1].contains("11,15") })
        // Nothing but TLS on these ports, and what is inside is what the devices said.
        #expect(try await fields("tcp.port==4443 && tcp.len>0 && !tls", ["frame.number"]).isEmpty)
        #expect(try await fields("tcp.port==4443 && http.request", ["http.request.uri"]).allSatisfy { $0 == ["/peer/status"] })
    }

    /// A run's files are what they claim to be, and an old run can be judged again from its journal.
    @Test func reportsAreReadByOthers() async throws {
        let testbed = try Testbed()
        let run = try await record(testbed)
        let script = """
            import html.parser, json, sys, xml.etree.ElementTree as tree
            from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
            run = sys.argv[1]
            families = {f.name: f for f in parse(open(run + "/metrics.prom").read())}
            suite = tree.parse(run + "/junit.xml").getroot()
            lines = [json.loads(line) for line in open(run + "/journal.ndjson")]
            page = open(run + "/report.html").read()
            html.parser.HTMLParser().feed(page)
            assert "http" not in page.replace("http-equiv", ""), "the page reaches for the network"
            attempts = sum(s.value for s in families["orrery_handshake_attempts"].samples)
            seen = sum(1 for o in lines if o["kind"] == "handshake" and o["role"] == "client" and o["port"] != 80)
            print(int(attempts) == seen, suite.attrib["tests"], suite.attrib["failures"], "orrery_handshake_duration_seconds" in families)
            """
        let file = try testbed.write(script, "read.py")
        let output = try await testbed.tool(Testbed.root + "/.build/python/bin/python", [file, run])
        #expect(output == "True 1 0 True\n")
        _ = try await testbed.tool("/bin/sh", ["-c", "promtool check metrics < '\(run)/metrics.prom'"])
        let layer = try await testbed.orrery(["report", run, "--format", "navigator"])
        #expect(try JSONSerialization.jsonObject(with: Data(layer.output.utf8)) is [String: Any])
        let again = try await testbed.orrery(["report", run])
        #expect(again.output == (try String(contentsOfFile: run + "/report.txt", encoding: .utf8)))
    }

    /// The library `cwt` verifies the evidence of a device as it went over the wire.
    @Test func aPythonClientVerifiesEvidence() async throws {
        let testbed = try Testbed()
        let run = try await record(testbed)
        let objects = testbed.folder + "/objects"
        let capture = ["-r", run + "/capture.pcapng", "-o", "tls.keylog_file:\(run)/keys.log"]
        _ = try await testbed.tool("tshark", capture + ["-q", "--export-objects", "http,\(objects)"])
        let identifiers = try await testbed.tool(
            "tshark", capture + ["-Y", "http.request.uri==\"/attestation/evidence\"", "-T", "fields", "-e", "http.request.line"])
        let ids = identifiers.matches(of: /x-device-id: ([0-9a-f]{128})/).map { String($0.1) }
        #expect(ids.count == 2)
        let script = """
            import glob, sys
            import cbor2
            from cwt import COSE, COSEKey
            good = 0
            for path in sorted(glob.glob(sys.argv[1] + "/evidence*")):
                data = open(path, "rb").read()
                if data[:1] != b"\\xd2":
                    continue
                for device in sys.argv[2:]:
                    raw = bytes.fromhex(device)
                    key = COSEKey.new({1: 2, 3: -7, -1: 1, -2: raw[:32], -3: raw[32:]})
                    try:
                        claims = cbor2.loads(COSE.new().decode(data, key))
                    except Exception:
                        continue
                    assert claims[265] == "tag:psacertified.org,2023:psa#tfm"
                    assert len(claims[10]) == 32 and len(claims[256]) == 33 and claims[256][0] == 1
                    assert claims[2395] == 0x3000 and all(len(c[2]) == 32 for c in claims[2399])
                    good += 1
            print(good)
            """
        let file = try testbed.write(script, "verify.py")
        let output = try await testbed.tool(Testbed.root + "/.build/python/bin/python", [file, objects] + ids)
        #expect(output == "2\n")
    }
}
