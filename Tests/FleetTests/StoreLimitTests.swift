import Foundation
import GRDB
import Testing
import Wire

@testable import Provisioning
@testable import RunFiles
@testable import SecurityService

/// The service's database at its limits.
@Suite struct StoreLimitTests {
    private static func path() -> String { NSTemporaryDirectory() + "orrery-store-\(UInt64.random(in: 0 ... .max)).sqlite" }
    private static let claim = Claim(deviceID: "a", name: "fridge", product: "fridge", group: "production")

    @Test func aFullDiskLetsReadsThrough() throws {
        let path = StoreLimitTests.path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try Store(path: path)
        #expect(try store.claim(StoreLimitTests.claim) == nil)
        store.fill(true)
        #expect(try store.device("a")?.name == "fridge")
        #expect(try store.counts().devices == 1)
        #expect(throws: StoreError.self) { try store.heartbeat(deviceID: "a", unixSeconds: 1) }
        #expect(try store.device("a")?.name == "fridge")
        store.fill(false)
        try store.heartbeat(deviceID: "a", unixSeconds: 1)
    }

    /// A database of the version before is brought up to this one; one of a later version is left alone.
    @Test func versionsFollowEachOther() throws {
        let path = StoreLimitTests.path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try Store(path: path)
        let queue = try DatabaseQueue(path: path)
        // As a service without a migrator would have left it.
        try queue.write { try $0.execute(sql: "DROP TABLE grdb_migrations") }
        _ = try Store(path: path)
        try queue.write { try $0.execute(sql: "PRAGMA user_version = 99") }
        #expect(throws: StoreError.newerVersion(found: 99, supported: Store.version)) { try Store(path: path) }
    }

    @Test(arguments: ["fridge, DNS:service.acme.internal", "a/b", "", "7", "a\u{0}"]) func aProductIsAName(product: String) throws {
        let path = StoreLimitTests.path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        var claim = StoreLimitTests.claim
        claim.product = product
        #expect(try Store(path: path).claim(claim) != nil)
    }
}

/// What a run was told to keep, on a disk that takes nothing.
@Suite struct KeptFileTests {
    @Test func aRunDoesNotGoOnWithoutItsJournal() throws {
        #expect(throws: RunError.self) { try Recorder(path: "/dev/full") }
        #expect(throws: RunError.self) { try Recorder(path: "/nowhere/journal.ndjson") }
        #expect(throws: RunError.self) { try KeptFile(path: "/dev/full").append([1]) }
        let recorder = try Recorder(path: "/dev/null")
        try recorder.append([Observation(at: .start, node: "fridge", sequence: 0, fact: Fact(.osReady))])
        #expect(recorder.journal.count == 1)
    }
}
