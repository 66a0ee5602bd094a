import Formats
import Foundation
import Silicon
import Testing
import Wire

@testable import DeviceOS

/// An app's mutable file over power cuts (APP-7): always as it was at the last sync, whole.
@Suite struct MutableStorageTests {
    private let folder = NSTemporaryDirectory() + "orrery-storage-\(UUID().uuidString)"

    private func flash() throws -> Flash {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let base = folder + "/base.bin"
        if !FileManager.default.fileExists(atPath: base) {
            try Data(repeating: 0xFF, count: Flash.totalBytes).write(to: URL(fileURLWithPath: base))
        }
        return try Flash(basePath: base, overlayPath: folder + "/overlay.bin")
    }

    private func storage(_ flash: Flash) throws -> MutableStorage { try MutableStorage(path: folder + "/app.bin", flash: flash) }

    @Test func aWriteThatPowerTearsLeavesWhatWasThere() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try storage(flash()).content == nil)
        var kept: [UInt8]?
        for number in UInt8(1)...6 {
            let flash = try flash()
            let storage = try storage(flash)
            #expect(storage.content == kept)
            let next = [UInt8](repeating: number, count: 4000)
            // Each second write is torn.
            if number.isMultiple(of: 2) { flash.cutPower(duringOperation: 1) }
            #expect(storage.keep(next) == !number.isMultiple(of: 2))
            if !number.isMultiple(of: 2) { kept = next }
        }
        #expect(try storage(flash()).content == [UInt8](repeating: 5, count: 4000))
    }

    @Test func emptyAndLongestFilesAndNoneAreToldApart() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for content in [[], nil, [UInt8](repeating: 7, count: 64 << 10), nil, [1]] as [[UInt8]?] {
            #expect(try storage(flash()).keep(content))
            #expect(try storage(flash()).content == content)
        }
    }

    /// The app's own sync is an operation of the flash: power goes in its middle, and the file begins anew or goes on.
    @Test(arguments: [(1, 1), (2, 2)]) func powerGoesInTheMiddleOfAnAppsSync(_ test: (operation: Int, counter: Int)) throws {
        let manifest = NSTemporaryDirectory() + "orrery-manifest-\(UUID().uuidString).json"
        try Data(
            """
            {"SchemaVersion":1,"Name":"board","ComponentId":"a2b1c0d4-0001-4a5e-9c11-3f0e5d2b7a01","EntryPoint":"/bin/app",
            "CmdArgs":["a","b"],"Capabilities":{"Gpio":[8,12],"MutableStorage":{"SizeKB":8}}}
            """.utf8
        ).write(to: URL(fileURLWithPath: manifest))
        defer { try? FileManager.default.removeItem(atPath: manifest) }
        let fleet = try Fleet(
            Fleet.topology(
                stop: "30s", devices: "lamp: { network: home, apps: [board], attach: ['led@gpio8', 'button@gpio12:1s/200ms'] }"
            ).replacing(
                "devices:",
                with: "apps:\n  board: { program: \(Fleet.root)/.build/guest/tests/peripherals.elf, manifest: \(manifest) }\ndevices:"),
            method: "  - { at: 110ms, for: 1s, fault: power-cut, operation: \(test.operation), target: { devices: lamp } }")
        _ = try fleet.run()
        let cut = try #require(fleet.facts(.powerLost, at: "lamp").first)
        let after = try #require(fleet.facts(.appLog).first { $0.at > cut.at && $0.fact.text(.text)?.contains("mutable file") == true })
        #expect(after.fact.text(.text)?.contains("counter \(test.counter),") == true, "\(after)")
    }
}
