import Foundation
import Testing
import Wire

@testable import Provisioning
@testable import RunFiles

/// Apps that a topology brings along, on all cores of a device.
@Suite struct AppTests {
    /// Programs that the topology brings along, on both real-time cores, with what is on their pins.
    @Test func ownFirmwareRunsWithItsAttachments() throws {
        let fleet = try Fleet(
            Fleet.topology(
                stop: "10s", apps: ["tick", "analog", "pins"].map { Fleet.app($0) },
                devices: "lamp: { network: home, apps: [tick, analog, pins], attach: ['led@gpio8', 'thermistor@adc0:30'] }"))
        _ = try fleet.run()
        #expect(
            fleet.facts(.attachment, at: "lamp").filter { $0.fact.text(.name) == "gpio8" }.map { $0.fact.text(.text) }.prefix(3) == [
                "on", "off", "on",
            ])
        #expect(fleet.facts(.appLog).contains { $0.fact.text(.text) == "channel 0 = 1824" })
        // The chip has two such cores.
        #expect(
            fleet.facts(.refusal).contains { $0.fact.text(.app) == "pins" && $0.fact.text(.reason)?.contains("2 real-time cores") == true })
    }

    /// An app on the A7: what it does on pins and says, and that it is started again, later each time, with what it had stored.
    @Test func highLevelAppsRunAndAreRestarted() throws {
        let fleet = try Fleet(
            Fleet.topology(
                stop: "30s", apps: [Fleet.app("board", program: "peripherals")],
                devices: "lamp: { network: home, apps: [board], attach: ['led@gpio8', 'button@gpio12:1s/200ms'] }"))
        _ = try fleet.run()
        let ends = fleet.facts(.appStopped, at: "lamp")
        #expect(ends.allSatisfy { $0.fact.text(.reason) == "board: exit code 3" })
        // Two seconds of work; pauses of 1, 2, 4 and 8 seconds.
        let gaps = zip(ends, ends.dropFirst()).map { ($1.at - $0.at).nanoseconds / 1_000_000_000 }
        #expect(gaps == [3, 4, 6, 10])
        #expect(fleet.facts(.attachment).filter { $0.fact.text(.name) == "gpio8" }.count >= 20)
        let pressed = try #require(fleet.facts(.appLog).first { $0.fact.text(.text) == "button pressed" })
        #expect(pressed.at >= .start + .seconds(1) && pressed.at < .start + .milliseconds(1010))
        #expect(fleet.facts(.appLog).contains { $0.fact.text(.text)?.hasSuffix("mutable file: counter 1, wrote 4") == true })
    }

    /// 256 KiB as on the original, or what the topology says; who takes more is killed and started again.
    @Test(arguments: [("", "120 KiB", "hoard: killed"), (", app-memory: 1024KiB", "400 KiB", "")])
    func appsHaveTheMemoryThatTheyMayHave(key: String, most: String, end: String) throws {
        let fleet = try Fleet(
            Fleet.topology(stop: "3s", devices: "lamp: { network: home, apps: [hoard]\(key) }").replacing(
                "devices:",
                with: """
                    apps:
                      hoard:
                        program: \(Fleet.root)/.build/guest/tests/hoard.elf
                        manifest: \(Fleet.root)/Sources/Guest/Tests/apps/secure/app_manifest.json
                    devices:
                    """))
        _ = try fleet.run()
        let said = Set(fleet.facts(.appLog).compactMap { $0.fact.text(.text) })
        #expect(said.contains(most) && said.contains("400 KiB") == end.isEmpty, "\(said)")
        let ends = fleet.facts(.appStopped).compactMap { $0.fact.text(.reason) }
        #expect(end.isEmpty ? ends.isEmpty : ends.first?.hasPrefix(end) ?? false, "\(ends)")
    }

    /// A program that exploits a weakness of an old OS, until an update of the OS closes it.
    @Test func anUpdateOfTheOSClosesWhatWasOpen() throws {
        let manifest = NSTemporaryDirectory() + "orrery-manifest-\(UUID().uuidString).json"
        try Data(
            """
            {"SchemaVersion":1,"Name":"implant","ComponentId":"25025d2c-66da-4448-bae1-ac26fcdd3629","EntryPoint":"/bin/app",
            "CmdArgs":["A-01"],"Capabilities":{}}
            """.utf8
        ).write(to: URL(fileURLWithPath: manifest))
        defer { try? FileManager.default.removeItem(atPath: manifest) }
        let fleet = try Fleet(
            Fleet.topology(stop: "2h", devices: "lamp: { network: home, apps: [implant], update-every: 10m }").replacing(
                "devices:",
                with: """
                    os: "20.06"
                    apps:
                      implant: { program: \(Fleet.root)/.build/guest/tests/weaknesses.elf, manifest: \(manifest) }
                    devices:
                    """), method: "  - { at: 20m, update: { image: os@20.08 } }")
        _ = try fleet.run()
        let installed = try #require(fleet.facts(.updateInstalled).first?.at)
        let said = fleet.facts(.appLog, at: "lamp")
        let (before, after) = (said.filter { $0.at < installed }, said.filter { $0.at > installed })
        #expect(Set(before.map { $0.fact.text(.text) }) == ["A-01: compromised: unsigned code ran"] && before.count > 5)
        #expect(Set(after.map { $0.fact.text(.text) }) == ["A-01: defended: Permission denied"] && after.count > 5)
    }

    /// The mailbox between the two real-time cores, if one of the manifests lists the other app, as the original has it.
    @Test(arguments: [["one", "two"], ["one"], ["two"], []]) func realTimeCoresHaveAMailbox(listing: [String]) throws {
        let ids = ["25025d2c-66da-4448-bae1-ac26fcdd3627", "25025d2c-66da-4448-bae1-ac26fcdd3628"]
        let manifests = try zip(["one", "two"], [ids, ids.reversed()]).map { name, ids in
            let path = NSTemporaryDirectory() + "orrery-manifest-\(UUID().uuidString).json"
            let others = listing.contains(name) ? "\"\(ids[1])\"" : ""
            try Data(
                """
                {"SchemaVersion":1,"Name":"\(name)","ComponentId":"\(ids[0])","EntryPoint":"/bin/app",
                "Capabilities":{"AllowedApplicationConnections":[\(others)]},"ApplicationType":"RealTimeCapable"}
                """.utf8
            ).write(to: URL(fileURLWithPath: path))
            return path
        }
        defer { for path in manifests { try? FileManager.default.removeItem(atPath: path) } }
        let program = "\(Fleet.root)/.build/guest/tests/mail.elf"
        let fleet = try Fleet(
            Fleet.topology(stop: "10s", devices: "lamp: { network: home, apps: [one, two] }").replacing(
                "devices:",
                with: """
                    apps:
                      one: { program: \(program), manifest: \(manifests[0]) }
                      two: { program: \(program), manifest: \(manifests[1]) }
                    devices:
                    """))
        _ = try fleet.run()
        let said = fleet.facts(.appLog, at: "lamp")
        for app in ["one", "two"] {
            let own = said.filter { $0.fact.text(.app) == app }
            let expected = !listing.isEmpty ? ["received 40, sum 780", "raised 4", "answered 12"] : []
            #expect(own.map { $0.fact.text(.text) } == expected)
        }
    }

    /// A full way to a core says so, and what was sent arrives: each once, whole and in order.
    @Test func nothingIsLostOnTheWayToACore() throws {
        let apps = [Fleet.app("burst", manifest: "burst"), Fleet.app("echo", program: "intercore")]
        let fleet = try Fleet(
            Fleet.topology(stop: "1m", apps: apps, devices: "lamp: { network: home, apps: [burst, echo] }"))
        _ = try fleet.run()
        let said = fleet.facts(.appLog, at: "lamp").filter { $0.fact.text(.app) == "burst" }.map { $0.fact.text(.text) ?? "" }
        #expect(
            said == [
                "no room after 3: Resource temporarily unavailable, writable 0", "200 sent, 200 answered, 0 wrong",
                "one more byte: -1 Message too long",
            ])
    }

    /// A core that never reads: whoever sends waits, or hears that there is no room; nothing else of the device stops.
    @Test func aCoreThatReadsNothingHoldsItsSenderOnly() throws {
        let apps = [Fleet.app("burst", manifest: "burst"), Fleet.app("echo", program: "mail")]
        let fleet = try Fleet(Fleet.topology(stop: "1m", apps: apps, devices: "lamp: { network: home, apps: [burst, echo] }"))
        _ = try fleet.run()
        let said = fleet.facts(.appLog, at: "lamp")
        let burst = said.filter { $0.fact.text(.app) == "burst" }.map { $0.fact.text(.text) ?? "" }
        #expect(burst == ["no room after 3: Resource temporarily unavailable, writable 0"])
        #expect(fleet.facts(.appStarted).count == 2)
        #expect(fleet.facts(.appStopped).isEmpty)
    }

    /// Messages between cores, names and hosts, and an update that is put off: as far as both manifests go.
    @Test func appsReachWhatTheirManifestsList() throws {
        let apps = [Fleet.app("partner", manifest: "partner"), Fleet.app("echo", program: "intercore")]
        let fleet = try Fleet(
            Fleet.topology(stop: "3h", apps: apps, devices: "lamp: { network: home, apps: [partner, echo], update-every: 10m }"),
            method: "  - { at: 20m, update: { image: os@26.12 } }")
        _ = try fleet.run()
        let said = fleet.facts(.appLog, at: "lamp").filter { $0.fact.text(.app) == "partner" }.map { $0.fact.text(.text) ?? "" }
            .filter { $0 != "event 4 status 0 type 0, at most 0 min" }  // after each look for updates that finds none
        #expect(
            said.prefix(14) == [
                "core open, other: Permission denied", "authenticated 0, network 0", "service.acme.internal: connect 0 ",
                "answer HTTP/1.1 404",
                "oven.acme.internal: Name or service not known", "10.1.0.99: connect -1 Operation not permitted", "send 19",
                "core says HL-APP-TO-RT-APP-00", "send 19", "core says HL-APP-TO-RT-APP-01", "send 19", "core says HL-APP-TO-RT-APP-02",
                "event 2 status 0 type 0, at most 0 min", "event 1 status 1 type 2, at most 1440 min",
            ])
        #expect(
            said.dropFirst(14).prefix(3) == ["defer 0", "event 1 status 3 type 2, at most 0 min", "event 1 status 2 type 2, at most 0 min"])
        // Half an hour later, as it was asked; the new OS starts the app again.
        let times = fleet.facts(.updateEvent).map { $0.at }
        #expect(times.count == 3 && times[2] - times[1] == .minutes(30))
        #expect(fleet.facts(.appStarted).filter { $0.fact.text(.app) == "partner" }.count == 2)
        // What it was kept from, the service hears.
        let heard = fleet.facts(.alert).map { $0.fact.text(.rule) }
        #expect(fleet.facts(.refusal, at: "lamp").contains { $0.fact.text(.reason) == "kept from 10.1.0.99:80 by its manifest" })
        #expect(fleet.facts(.errorReported).contains { ($0.fact.number(.count) ?? 0) >= 2 }, "\(heard)")
    }
}
