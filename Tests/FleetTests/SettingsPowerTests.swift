import BoardSupport
import DeviceServices
import Foundation
import Silicon
import Testing

/// Settings over power cuts: as they were or as they were to be, at each operation of the flash.
@Suite struct SettingsPowerTests {
    private typealias Change = [(key: SettingsKey, value: [UInt8])]
    private static let keys: [SettingsKey] = [.clientKey, .customerChain, .updateChain, .knownUpdates]
    /// A renewal, and since when an update is known or that it is known no longer; enough to change banks three times.
    private static let changes: [Change] = (UInt8(1)...14).map { round in
        round.isMultiple(of: 3)
            ? [(.knownUpdates, round.isMultiple(of: 2) ? [] : [UInt8](repeating: round, count: 80))]
            : [
                (.clientKey, [UInt8](repeating: round, count: 32)), (.customerChain, [UInt8](repeating: round, count: 20_000)),
                (.updateChain, [UInt8](repeating: round, count: 15_000)),
            ]
    }

    private let folder = NSTemporaryDirectory() + "orrery-settings-\(UUID().uuidString)"

    private func apply(_ change: Change, _ store: inout SettingsStore) throws {
        if change.count == 1, change[0].value.isEmpty { try store.remove(change[0].key) } else { try store.set(change) }
    }

    private func values(_ store: SettingsStore) -> [[UInt8]?] { Self.keys.map { store[$0] } }

    @Test func powerMayGoAtEveryOperation() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(repeating: 0xFF, count: Flash.totalBytes).write(to: URL(fileURLWithPath: folder + "/base"))
        func flash(_ number: Int) throws -> Flash { try Flash(basePath: folder + "/base", overlayPath: folder + "/flash-\(number)") }
        let whole = try flash(0)
        var store = try SettingsStore(flash: whole)
        let begin = whole.operations
        var states = [values(store)]
        for change in Self.changes {
            try apply(change, &store)
            states.append(values(store))
            #expect(try values(SettingsStore(flash: whole)) == values(store))
        }
        let operations = whole.operations - begin
        #expect(operations > 14 + 3 * 33)
        for number in 1...operations {
            let cut = try flash(number)
            var store = try SettingsStore(flash: cut)
            cut.cutPower(duringOperation: number)
            var done = 0
            for change in Self.changes {
                do { try apply(change, &store) } catch { break }
                done += 1
            }
            let again = try flash(number)
            var found = try SettingsStore(flash: again)
            #expect(done < Self.changes.count && states[done...done + 1].contains(values(found)), "operation \(number)")
            // And it goes on from there.
            try apply([(.clientKey, [7])], &found)
            #expect(try SettingsStore(flash: again)[.clientKey] == [7])
            try FileManager.default.removeItem(atPath: folder + "/flash-\(number)")
        }
    }

    /// What was never written by this has no bad end.
    @Test func brokenRecordsAreSkipped() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(repeating: 0xFF, count: Flash.totalBytes).write(to: URL(fileURLWithPath: folder + "/base"))
        let flash = try Flash(basePath: folder + "/base", overlayPath: folder + "/flash")
        var store = try SettingsStore(flash: flash)
        try store.set([(.clientKey, [1]), (.updateChain, [2, 3])])
        try store.set(.trial, [4])
        #expect(throws: SiliconError.self) {
            try store.set([(.clientKey, [UInt8](repeating: 0, count: 40_000)), (.updateChain, [UInt8](repeating: 0, count: 40_000))])
        }
        let read = try SettingsStore(flash: flash)
        #expect(read[.clientKey] == [1] && read[.updateChain] == [2, 3] && read[.trial] == [4])
    }
}
