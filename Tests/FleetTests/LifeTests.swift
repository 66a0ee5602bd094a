import Campaign
@testable import Coordinator
import Factory
import Foundation
import Formats
import Testing
import Wire

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
