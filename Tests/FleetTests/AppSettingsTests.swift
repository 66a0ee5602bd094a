import Foundation
import Testing
import Wire

@testable import Provisioning
@testable import RunFiles

/// What apps set: with effect at once, and there after a restart; and refused without the capability.
@Suite struct AppSettingsTests {
    private static let guests = "\(Fleet.root)/Sources/Guest/Tests/apps/settings"
    private static let program = "\(Fleet.root)/.build/guest/tests/settings.elf"

    private func said(_ fleet: Fleet, by app: String) -> [String] {
        fleet.facts(.appLog).filter { $0.fact.text(.app) == app }.compactMap { $0.fact.text(.text) }
    }

    @Test func settingsHaveEffectsAndStay() throws {
        let clock = "\(Fleet.root)/Sources/Guest/Tests/apps/clock"
        let fleet = try Fleet(
            Fleet.topology(
                stop: "10m",
                apps: [
                    "  settings: { program: \(Self.program), manifest: \(Self.guests)/app_manifest.json }\n",
                    "  clock: { program: \(Fleet.root)/.build/guest/tests/clock.elf, manifest: \(clock)/app_manifest.json }\n",
                ],
                devices: "lamp: { network: home, apps: [settings] }", "clock: { network: home, apps: [clock] }"
            ).replacing("latency: 8ms", with: "latency: 8ms, wifi: { ssid: House, key: correct horse }"))
        _ = try fleet.run()
        let lines = said(fleet, by: "settings")
        let first = [
            "boot 0", "network: House, status 7, stored 1",
            // The wrong key, and a network that is not there.
            "diagnostics: 4 2", "network: none, status 1, stored 3", "reach: -2 ", "network: House, status 7, stored 3", "reach: 0",
            "persist: 0", "release: 0", "status 3", "renew: 0", "lease of none: -1 Invalid argument",
            "addresses: -1 Operation not permitted", "static: 0", "lease of none: -1 Invalid argument", "addresses: 0",
            "release: -1 Operation not permitted", "eth0: -1 No such file or directory", "reach: 0", "proxy: -1 No such file or directory",
            "set proxy: 0", "custom time: 0", "time from clock.acme.internal", "install: 0", "count: 1", "no time sync: 0",
            "clock: 0", "set: 2027-01-15",
        ]
        #expect(zip(lines, first).allSatisfy { $0.hasPrefix($1) } && lines.count >= first.count, "\(lines)")
        let kept = [
            "proxy: proxy.example.com:3128 as user, status 5", "time sync 0, certificates 1 own", "reach: 0",
        ]
        // What the app set the clock to is gone with the first restart; what it gave the hardware clock is there after the second.
        let later = ["boot 1", "network: House, status 15, stored 3", "clock: 2026-01-01"] + kept + ["to hardware: 0"]
        #expect(lines.dropFirst(first.count).prefix(later.count).elementsEqual(later), "\(lines.dropFirst(first.count))")
        // By then its certificates are over, as far as it knows.
        let last = ["boot 2", "network: House, status 7, stored 3", "clock: 2027-12-28"] + kept
        #expect(lines.suffix(last.count).elementsEqual(last), "\(lines.suffix(last.count))")
    }

    @Test func nothingIsSetWithoutTheCapability() throws {
        let manifest = NSTemporaryDirectory() + "orrery-manifest-\(UUID().uuidString).json"
        try Data(
            """
            {"SchemaVersion":1,"Name":"settings","ComponentId":"25025d2c-66da-4448-bae1-ac26fcdd3643","EntryPoint":"/bin/app",
            "CmdArgs":["refused"],"Capabilities":{}}
            """.utf8
        ).write(to: URL(fileURLWithPath: manifest))
        defer { try? FileManager.default.removeItem(atPath: manifest) }
        let fleet = try Fleet(
            Fleet.topology(
                stop: "10s", apps: ["  settings: { program: \(Self.program), manifest: \(manifest) }\n"],
                devices: "lamp: { network: home, apps: [settings] }"))
        _ = try fleet.run()
        let denied = "-1 Permission denied"
        #expect(
            said(fleet, by: "settings") == [
                "clock: -1 Operation not permitted", "hardware clock: \(denied)", "time sync: \(denied)", "custom time: \(denied)",
                "wifi: \(denied)", "forget: \(denied)", "address: \(denied)", "interface: \(denied)", "time server: \(denied)",
                "lease of none: -1 Invalid argument", "addresses: \(denied)", "set proxy: \(denied)", "proxy: \(denied)",
                "certificates: \(denied)",
            ])
    }

    @Test func servicesAreDiscovered() throws {
        let fleet = try Fleet(
            Fleet.topology(
                stop: "10s", apps: [Fleet.app("discover", program: "discover", manifest: "discover")],
                devices: "lamp: { network: home, apps: [discover] }",
                "oven: { network: home, services: [{ name: Big Oven, type: _http._tcp.example.com, port: 8080, text: [path=/door] }] }"))
        _ = try fleet.run()
        #expect(
            said(fleet, by: "discover") == [
                "1: Big Oven._http._tcp.example.com", "oven.acme.internal port 8080", "path=/door", "printers: 0, code 3",
                "elsewhere: 0, code 3", "address: 0",
            ])
    }

    /// An app asks for a restart while an update waits that could be put off for a day: it is installed by that.
    @Test func aRestartInstallsWhatIsStaged() throws {
        let partner = Fleet.app("waiter", program: "waiter", manifest: "waiter")
        let fleet = try Fleet(
            Fleet.topology(stop: "2h", apps: [partner], devices: "lamp: { network: home, apps: [waiter], update-every: 10m }"),
            method: "  - { at: 20m, update: { image: os@26.12 } }")
        _ = try fleet.run()
        let pending = try #require(fleet.facts(.updateEvent).first { $0.fact.text(.status) == "pending" })
        let installed = try #require(fleet.facts(.updateInstalled).first)
        #expect(installed.at - pending.at < .seconds(10))
        #expect(fleet.facts(.rebooted).first?.fact.text(.reason) == "asked by an app")
        #expect(fleet.facts(.updateProven).first != nil)
    }
}
