import Formats
import Foundation
import Silicon
import Testing
import Wire

@testable import Applications

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

    /// More than its slot has room for leaves the other copy alone.
    @Test func whatIsTooLongIsCut() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let long = [UInt8](repeating: 9, count: 200_000)
        #expect(try storage(flash()).keep([1, 2, 3]))
        let torn = try flash()
        torn.cutPower(duringOperation: 1)
        #expect(try !storage(torn).keep(long))
        #expect(try storage(flash()).content == [1, 2, 3])
        #expect(try storage(flash()).keep(long))
        #expect(try storage(flash()).content == Array(long.prefix(64 << 10)))
    }

    /// The app's own sync is an operation of the flash: power goes in its middle, and the file begins anew or goes on.
    @Test(arguments: [(1, 1), (2, 2)]) func powerGoesInTheMiddleOfAnAppsSync(_ test: (operation: Int, counter: Int)) throws {
        let fleet = try Fleet(
            Fleet.topology(
                stop: "30s", apps: [Fleet.app("board", program: "peripherals")],
                devices: "lamp: { network: home, apps: [board], attach: ['led@gpio8', 'button@gpio12:1s/200ms'] }"),
            method: "  - { at: 110ms, for: 1s, fault: power-cut, operation: \(test.operation), target: { devices: lamp } }")
        _ = try fleet.run()
        let cut = try #require(fleet.facts(.powerLost, at: "lamp").first)
        let after = try #require(fleet.facts(.appLog).first { $0.at > cut.at && $0.fact.text(.text)?.contains("mutable file") == true })
        #expect(after.fact.text(.text)?.contains("counter \(test.counter),") == true, "\(after)")
    }
}
