import Foundation
import GRDB
import Testing
import Wire

@testable import Provisioning
@testable import RunFiles
@testable import SecurityService
@testable import UpdateDirector

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

    /// What a rollout that was under way has not, it gets: a week from when it was last heard of.
    @Test func rolloutsOfBeforeGetAnEnd() throws {
        let path = StoreLimitTests.path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try Store(path: path)
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in
            try db.execute(
                sql: """
                    ALTER TABLE deployment DROP COLUMN timeoutSeconds; ALTER TABLE deployment DROP COLUMN openedAt;
                    ALTER TABLE deployment DROP COLUMN replaces; ALTER TABLE image DROP COLUMN securityVersion;
                    ALTER TABLE failure DROP COLUMN kind; DROP TABLE authority;
                    ALTER TABLE device DROP COLUMN lockedOutSince; ALTER TABLE device DROP COLUMN readmittedAt;
                    DROP TABLE inherited; DROP TABLE formerOwner;
                    DELETE FROM grdb_migrations WHERE identifier IN ('5', '6'); PRAGMA user_version = 4;
                    INSERT INTO image (sha256, name, component, type, version, bytes) VALUES ('aa', 'compressor@7', 'c', 10, 7, x'00');
                    INSERT INTO deployment (deviceGroup, images, batches, threshold, soakSeconds, openBatch, changedAt, state, reason)
                        VALUES ('production', 'aa', '1', 1, 60, 0, 1000, 'running', '');
                    INSERT INTO failure VALUES ('device', 'aa', 'crashed');
                    """)
        }
        let store = ReleaseStore(inventory: try Store(path: path))
        let deployment = try #require(try store.deployments(group: "production").first)
        #expect(deployment.openedAt == 1000 && deployment.timeoutSeconds == 7 * 86_400 && deployment.replaces.isEmpty)
        #expect(try store.images().map(\.securityVersion) == [7])
        #expect(try store.overdue(now: 1000 + 7 * 86_400 - 1).isEmpty)
        #expect(try store.overdue(now: 1000 + 7 * 86_400).map(\.id) == [deployment.id])
        let kind = try queue.read { try String.fetchOne($0, sql: "SELECT kind FROM failure") }
        #expect(kind == "failed")
    }

    /// A database of version 5 knows its devices still, none of them locked out; and who is locked out is so after the next start.
    @Test func nobodyOfBeforeIsLockedOut() throws {
        let path = StoreLimitTests.path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try Store(path: path).claim(StoreLimitTests.claim) == nil)
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in
            try db.execute(
                sql: """
                    ALTER TABLE device DROP COLUMN lockedOutSince; ALTER TABLE device DROP COLUMN readmittedAt;
                    DROP TABLE inherited; DROP TABLE formerOwner;
                    DELETE FROM grdb_migrations WHERE identifier = '6'; PRAGMA user_version = 5;
                    """)
        }
        let store = try Store(path: path)
        #expect(try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == 6)
        #expect(try store.device("a")?.name == "fridge" && store.device("a")?.lockedOutSince == nil)
        #expect(try store.devices(group: "production") == ["a"])
        try store.heartbeat(deviceID: "a", unixSeconds: 100)
        #expect(try store.silent(since: 200).map(\.device) == ["fridge"])
        #expect(try store.change(["fridge", "nobody"]) { $0.lockedOutSince = 300 }.map(\.after.name) == ["fridge"])
        let later = try Store(path: path)
        #expect(try later.device("a")?.lockedOutSince == 300 && later.devices(group: "production").isEmpty)
        // Nobody waits for it, nor for who was readmitted a moment ago.
        #expect(try later.silent(since: 400).isEmpty)
        _ = try later.change(["fridge"]) { ($0.lockedOutSince, $0.readmittedAt) = (nil, 500) }
        #expect(try later.silent(since: 500).isEmpty && later.silent(since: 501).map(\.last) == [500])
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
