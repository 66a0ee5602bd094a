import Foundation
import Testing
import Wire

@testable import Provisioning
@testable import RunFiles

/// Streams that are full say so, and lose nothing: an app sends, as iperf does, more than the link and the receiver take.
@Suite struct BackPressureTests {
    @Test func aSlowLinkIsFilledAndNothingIsLost() throws {
        let bytes = 2_000_000
        let fleet = try Fleet(Self.topology(bytes: bytes, stop: "1m"))
        _ = try fleet.run()
        func said(_ node: String) -> [String] { fleet.facts(.appLog, at: node).compactMap { $0.fact.text(.text) } }
        let (source, sink) = (said("source"), said("sink"))
        // What the socket takes before the network has taken anything.
        #expect(source.first == "full after 65536: Resource temporarily unavailable, writable 0", "\(source)")
        #expect(source.dropFirst().first?.hasPrefix("writable 1 after ") ?? false)
        #expect(source.contains("sent \(bytes) bytes, 0 short writes, answer \(bytes)"))
        #expect(sink.first?.hasPrefix("got \(bytes) bytes, 0 wrong, peak ") ?? false, "\(sink)")
        // 1 Mbit/s less headers of 40 in 1,500 bytes, and 3 s in which the receiver was busy elsewhere, less what its buffer took.
        let rate = try #require(source.last.flatMap { $0.split(separator: " ").first }.flatMap { Double($0) })
        let least = Double(bytes) * 8 / 1000 / (Double(bytes) * 8 / 970_000 + 3.2)
        #expect((least...975).contains(rate), "\(source)")
    }

    static func topology(bytes: Int, stop: String) -> String {
        let manifest = "\(Fleet.root)/Sources/Guest/Tests/apps/stream/app_manifest.json"
        let own = NSTemporaryDirectory() + "orrery-manifest-\(UUID().uuidString).json"
        let text = (try? String(contentsOfFile: manifest, encoding: .utf8)) ?? ""
        try? text.replacing("[\"sink\"]", with: "[\"source\", \"sink.example.com\", \"\(bytes)\"]").replacing(
            "\"stream\"", with: "\"source\""
        )
        .replacing("3640", with: "3641").write(toFile: own, atomically: true, encoding: .utf8)
        let program = "\(Fleet.root)/.build/guest/tests/stream.elf"
        return Fleet.topology(
            stop: stop,
            apps: ["  stream: { program: \(program), manifest: \(manifest) }\n", "  source: { program: \(program), manifest: \(own) }\n"],
            devices: "sink: { network: home, apps: [stream], names: [sink.example.com] }", "source: { network: home, apps: [source] }"
        ).replacing("latency: 8ms", with: "latency: 8ms, bandwidth: 1Mbit")
    }
}
