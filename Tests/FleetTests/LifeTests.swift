import Adversary
import BoardSupport
import Catalogue
import Configuration
import DeviceServices
import Exchange
import Fabric
import Formats
import Foundation
import GRDB
import Injector
import Judging
import SecureChannel
import Silicon
import Testing
import Wire

@testable import MT3620
@testable import Provisioning
@testable import RunFiles
@testable import SecurityService

@Suite struct LifeTests {
    @Test func everybodyAttestsAndAuthenticates() throws {
        let fleet = try Fleet()
        let report = try fleet.run()
        #expect(report.metrics.devicesAttested == 2)
        #expect(report.metrics.handshakes["device-device mutual"]?.failuresByReason == [:])
        #expect((report.metrics.handshakes["device-device mutual"]?.accepted ?? 0) >= 10)
        #expect(report.metrics.exchanges == report.metrics.exchangesAccepted)
        #expect(report.metrics.errorReports == 2)
        #expect(report.metrics.effectsDropped == 0)
    }

    @Test func certificatesAreRenewedBeforeTheyEnd() throws {
        let fleet = try Fleet(Fleet.small.replacing("stop: 2h", with: "stop: 50h"))
        let report = try fleet.run()
        #expect(report.metrics.certificatesIssued == 6)
        #expect(report.metrics.certificateRenewals == 4)
        #expect((20 * 3600...21 * 3600 + 60).contains(report.metrics.oldestCertificateSeconds))
        #expect(report.metrics.certificatesExpired == 0)
        #expect(report.metrics.exchanges == report.metrics.exchangesAccepted)
    }

    @Test func certificatesEndWhenTheServiceStaysAway() throws {
        let fleet = try Fleet(
            Fleet.small.replacing("stop: 2h", with: "stop: 30h"),
            method: "  - { at: 1h, for: 28h, fault: partition, target: { network: home } }")
        let report = try fleet.run()
        #expect(report.metrics.certificatesExpired == 2)
        // The service is back at 29 h: everybody is well again within the back-off's ten minutes and a bit.
        #expect(fleet.facts(.certificateIssued).count { $0.at > .start + .hours(29) } == 2)
        let gone = fleet.facts(.attestation, at: "oven").filter { $0.fact.text(.result) == "failed" }
        #expect(gone.count > 20)
    }

    @Test func aPowerCutWithinTheirValidityNeedsNoAttestation() throws {
        let fleet = try Fleet(method: "  - { at: 30m, for: 5m, fault: power-cut, target: { devices: fridge } }")
        let report = try fleet.run()
        #expect(report.metrics.certificatesRestored == 1)
        #expect(report.metrics.attestationsAccepted == 2)
        #expect(fleet.facts(.osReady, at: "fridge").count == 2)
    }

    @Test func theServiceKeepsWhatItAcknowledged() throws {
        let fleet = try Fleet(method: "  - { at: 30m, for: 2m, fault: service-kill }")
        let report = try fleet.run()
        let starts = fleet.facts(.serviceStarted)
        #expect(starts.count == 2)
        #expect(starts.last?.fact.number(.count) == 2)
        #expect(starts.last?.fact.number(.certificate) == 4)
        #expect(report.metrics.devicesAttested == 2)
    }

    /// The compressor stops with the power, and the room does not wait for it.
    @Test func aStoppedCompressorHasConsequences() throws {
        let cold = Fleet.small.replacing("fridge: { network: home,", with: "fridge: { network: home, apps: [compressor],")
            .replacing("stop: 2h", with: "stop: 8h")
        let quiet = try Fleet(cold).run()
        let cut = try Fleet(cold, method: "  - { at: 1h, for: 5h, fault: power-cut, target: { devices: fridge } }").run()
        let (good, bad) = (try #require(quiet.metrics.rooms["fridge"]), try #require(cut.metrics.rooms["fridge"]))
        #expect(good.maximumMillicelsius <= 5_100 && good.tooWarmSeconds == 0)
        #expect(bad.maximumMillicelsius > 15_000 && bad.tooWarmSeconds > 4 * 3600)
    }
}

@Suite struct BootTests {
    /// Changes bytes of the shared flash before the devices start.
    private func fleet(_ off: [Control] = [], _ change: (inout [UInt8], FlashLayout) -> Void) throws -> Fleet {
        let fleet = try Fleet(off: off)
        let path = fleet.folder.state("base-bare.flash")
        var flash = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        change(&flash, try FlashLayout(sector: Array(flash[..<4096])))
        try Data(flash).write(to: URL(fileURLWithPath: path))
        return fleet
    }

    private func entry(_ layout: FlashLayout, _ type: ImageType, _ slot: FlashLayout.Slot) -> Int {
        Int(layout.entries.first { $0.type == type.rawValue && $0.slot == slot }!.offset)
    }

    @Test(arguments: [ImageType.oneBL, .trustedKeystore, .securityMonitor, .kernel, .services])
    func aBadCopyIsAnsweredWithItsBackup(type: ImageType) throws {
        let fleet = try fleet { flash, layout in flash[entry(layout, type, .primary) + 70] ^= 1 }
        let report = try fleet.run()
        let fallback = try #require(fleet.facts(.bootFallback, at: "oven").first)
        #expect(fallback.fact.text(.stage) == type.name)
        #expect(fallback.fact.text(.reason) == "bad signature")
        // Both copies are the same image, so its measurement is a reference value.
        #expect(report.metrics.devicesAttested == 2)
    }

    @Test func withoutAGoodCopyTheDeviceStaysDownAndSaysWhy() throws {
        let fleet = try fleet { flash, layout in
            for slot in [FlashLayout.Slot.primary, .backup] { flash[entry(layout, .kernel, slot) + 70] ^= 1 }
        }
        let report = try fleet.run()
        #expect(report.metrics.bootFailures == 2)
        #expect(fleet.facts(.bootFailed).first?.fact.text(.stage) == "kernel")
        #expect(report.metrics.devicesAttested == 0)
    }

    /// With secure boot off a changed image runs; measured boot and attestation still notice.
    @Test func measuredBootNoticesWhatSecureBootLetPass() throws {
        let fleet = try fleet([.secureBoot]) { flash, layout in flash[entry(layout, .kernel, .primary) + 70] ^= 1 }
        let report = try fleet.run()
        #expect(report.metrics.bootFallbacks == 0)
        #expect(report.metrics.devicesAttested == 0)
        #expect(report.metrics.attestationFailuresByReason.keys.contains("measurement of kernel is not a reference value"))
    }

    @Test func aBadPartitionTableIsAnsweredWithItsCopy() throws {
        let fleet = try fleet { flash, _ in flash[9] ^= 1 }
        #expect(try fleet.run().metrics.devicesAttested == 2)
        #expect(fleet.facts(.bootFallback).first?.fact.text(.stage) == "ROM")
    }
}

@Suite struct PeerRuleTests {
    /// A certificate of the catalog is not enough: the product must be one that this device deals with.
    @Test func onlyAllowedProductsOfTheCatalog() throws {
        let catalog = CatalogIdentity(CatalogNames(catalog: "acme"))
        let key = P256PrivateKey()
        func certificate(_ organization: String, _ product: String) throws -> Certificate {
            try CertificateTemplate(
                commonName: "d", organization: organization, serial: [1], notBefore: 0, notAfter: 10,
                uris: [catalog.productURI(product), catalog.deviceURI("00")], usage: .endEntity
            ).issue(for: key.publicKey, by: key, issuer: nil)
        }
        #expect(catalog.refusal(of: try certificate("acme", "oven"), products: ["oven"]) == nil)
        #expect(catalog.refusal(of: try certificate("acme", "oven"), products: ["heater"]) == "peer not allowed")
        #expect(catalog.refusal(of: try certificate("other", "oven"), products: ["oven"]) == "wrong catalog")
    }
}

@Suite struct InjectorTests {
    /// Without everybody there is no run to begin: said at once, in place of waiting for ever.
    @Test func aProcessThatDoesNotStartEndsTheRun() throws {
        let setting = NodeSetting(name: "threat", seed: 1, clock: .virtual, epochSeconds: 0)
        let node = NodeSpec(name: "a", role: .device, network: "home", address: Address(bits: 1), host: "a.test")
        var injector = Injector(
            ThreatConfiguration(
                setting: setting, names: CatalogNames(catalog: "c"),
                networks: [NetworkSpec(name: "home", latencyNanoseconds: 1_000_000)], links: [], nodes: [node], steps: [],
                stop: .start + .seconds(1), loot: Loot()))
        injector.receive(.hello(Hello(node: "coordinator", generation: 0, publicIdentity: "")), from: PeerName.coordinator, now: .start)
        injector.receive(.processGone(node: "a", generation: 0), from: PeerName.coordinator, now: .start)
        #expect(injector.takeOutgoing().contains { $0.frame == .refused("a did not start: see its log") })
        #expect(injector.isFinished)
    }

    @Test func aDeviceWithoutPowerSaysNothingMore() throws {
        let fleet = try Fleet(method: "  - { at: 2s, for: 5m, fault: power-cut, target: { devices: fridge } }")
        _ = try fleet.run()
        let (off, on) = (Instant.start + .seconds(2), Instant.start + .minutes(5))
        #expect(!fleet.journal.contains { $0.node == "fridge" && $0.at >= off && $0.at < on })
    }
}

@Suite struct StoreTests {
    @Test func aDatabaseFromANewerVersionIsRefusedByName() throws {
        let path = NSTemporaryDirectory() + "orrery-store-\(UUID().uuidString).sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        _ = try Store(path: path)
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "PRAGMA user_version = 99") }
        try queue.close()
        #expect(throws: StoreError.newerVersion(found: 99, supported: Store.version)) { try Store(path: path) }
        try Data("nonsense that is no database at all".utf8).write(to: URL(fileURLWithPath: path + "x"))
        defer { try? FileManager.default.removeItem(atPath: path + "x") }
        #expect(throws: StoreError.self) { try Store(path: path + "x") }
    }

    @Test func challengesAndTicketsWorkOnce() throws {
        let store = try Store(path: ":memory:")
        try store.addChallenge("n", deviceID: "d", secret: [], expires: 100, now: 0)
        #expect(try store.takeChallenge("n", deviceID: "other", now: 50) == nil)
        #expect(try store.takeChallenge("n", deviceID: "d", now: 50) != nil)
        #expect(try store.takeChallenge("n", deviceID: "d", now: 50) == nil)
        try store.addChallenge("late", deviceID: "d", secret: [], expires: 100, now: 0)
        #expect(try store.takeChallenge("late", deviceID: "d", now: 101) == nil)
        try store.appraised(deviceID: "d", result: "accepted", ticket: "t", kinds: ["update"], expires: 100, now: 0)
        func enrol(_ kind: String, _ serial: String) throws -> Bool {
            try store.enrol(ticket: "t", kind: kind, deviceID: "d", serial: serial, notAfter: 1, now: 50)
        }
        #expect(try !enrol("customer", "1"))
        #expect(try enrol("update", "2"))
        #expect(try !enrol("update", "3"))
    }

    @Test func claimsAreNotTransferred() throws {
        let store = try Store(path: ":memory:")
        let claim = Claim(deviceID: "a", name: "fridge", product: "p", group: "g")
        #expect(try store.claim(claim) == nil)
        #expect(try store.claim(claim) == nil)
        #expect(try store.claim(Claim(deviceID: "a", name: "other", product: "p", group: "g")) == "already claimed as fridge")
        #expect(try store.claim(Claim(deviceID: "b", name: "fridge", product: "p", group: "g")) == "the name is taken")
    }
}

@Suite struct SettingsTests {
    /// What was set is there after a restart, also when banks change.
    @Test func settingsSurviveRestartsAndCompaction() throws {
        let folder = NSTemporaryDirectory() + "orrery-settings-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(repeating: 0xFF, count: Flash.totalBytes).write(to: URL(fileURLWithPath: folder + "/base"))
        let flash = try Flash(basePath: folder + "/base", overlayPath: folder + "/flash")
        var store = try SettingsStore(flash: flash)
        // More than a bank holds, so that it is compacted several times.
        for round in 0..<200 {
            try store.set(.customerChain, [UInt8](repeating: UInt8(round), count: 2000))
            try store.set(.clientKey, [UInt8(round)])
            let read = try SettingsStore(flash: flash)
            #expect(read[.customerChain] == [UInt8](repeating: UInt8(round), count: 2000))
            #expect(read[.clientKey] == [UInt8(round)])
        }
        try store.remove(.clientKey)
        #expect(try SettingsStore(flash: flash)[.clientKey] == nil)
        #expect(try SettingsStore(flash: flash)[.customerChain]?.first == 199)
    }
}
