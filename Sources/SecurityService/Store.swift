import Exchange
import Foundation
import GRDB
import UpdateDirector
import Wire

public enum StoreError: Error, Equatable, Sendable {
    case newerVersion(found: Int, supported: Int)
    case database(String)
}

/// The service's state in SQLite. Each accepted request is one transaction, which is on disk before the
/// answer leaves: what was acknowledged survives SIGKILL at any instant.
final class Store {
    static let version = 6

    struct Device: Codable, Equatable, FetchableRecord, PersistableRecord {
        static let databaseTableName = "device"
        var deviceID: String
        var name: String
        var product: String
        var deviceGroup: String
        /// Which kind of device it is.
        var kind = "mt3620"
        /// Unix seconds; nil for a device that its operator has not locked out.
        var lockedOutSince: Int64?
        /// Unix seconds of the last time; nil for never.
        var readmittedAt: Int64?
    }

    private let queue: DatabaseQueue
    private let fullDisk = FullDisk()

    init(path: String) throws(StoreError) {
        do {
            var configuration = Configuration()
            configuration.prepareDatabase { db in
                // The process may die at any instant, not the kernel: the log needs no flush per commit.
                try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
            }
            queue = try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw .database("\(error)")
        }
        let found = try perform { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
        guard found <= Store.version else { throw .newerVersion(found: found, supported: Store.version) }
        do { try Store.migrator.migrate(queue) } catch { throw .database("\(error)") }
    }

    /// Each version is one transaction: a service that dies in the middle finds the one before it, whole.
    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        let versions: [[@Sendable (Database) throws -> Void]] = [
            [create], [createDetection, DirectorSchema.create], [DirectorSchema.addFeeds], [addKinds, DirectorSchema.addHardware],
            [addAuthorities, DirectorSchema.addEnds], [addLockOuts, addSuccession],
        ]
        for (index, steps) in versions.enumerated() {
            migrator.registerMigration("\(index + 1)") { db in
                // Databases from before there was a migrator say their version themselves.
                guard try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0 <= index else { return }
                for step in steps { try step(db) }
            }
        }
        return migrator
    }

    /// Devices of several kinds, and challenges with a secret in a credential.
    private static func addKinds(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE device ADD COLUMN kind TEXT NOT NULL DEFAULT 'mt3620';
                ALTER TABLE challenge ADD COLUMN secret BLOB NOT NULL DEFAULT x'';
                """)
    }

    /// What the service has renewed of its own.
    private static func addAuthorities(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE authority (
                    id INTEGER PRIMARY KEY, role TEXT NOT NULL, certificate BLOB NOT NULL, key BLOB NOT NULL, issuer BLOB NOT NULL,
                    activeFrom INTEGER NOT NULL);
                PRAGMA user_version = 5;
                """)
    }

    private static func create(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE device (
                    deviceID TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, product TEXT NOT NULL,
                    deviceGroup TEXT NOT NULL);
                CREATE TABLE challenge (
                    nonce TEXT PRIMARY KEY, deviceID TEXT NOT NULL, expires INTEGER NOT NULL);
                CREATE TABLE ticket (
                    ticket TEXT NOT NULL, kind TEXT NOT NULL, deviceID TEXT NOT NULL, expires INTEGER NOT NULL,
                    PRIMARY KEY (ticket, kind));
                CREATE TABLE certificate (
                    serial TEXT PRIMARY KEY, deviceID TEXT NOT NULL, kind TEXT NOT NULL, notAfter INTEGER NOT NULL);
                CREATE TABLE appraisal (
                    id INTEGER PRIMARY KEY, deviceID TEXT NOT NULL, unixSeconds INTEGER NOT NULL,
                    result TEXT NOT NULL);
                CREATE TABLE report (
                    id INTEGER PRIMARY KEY, deviceID TEXT NOT NULL, category TEXT NOT NULL,
                    description TEXT NOT NULL, unixSeconds INTEGER NOT NULL, count INTEGER NOT NULL);
                CREATE TABLE heartbeat (deviceID TEXT PRIMARY KEY, unixSeconds INTEGER NOT NULL);
                PRAGMA user_version = 1;
                """)
    }

    func perform<T>(_ body: (Database) throws -> T) throws(StoreError) -> T {
        do { return try queue.write(body) } catch { throw .database("\(error)") }
    }

    // MARK: Devices

    /// Claims a device. Nil, or why not: it belongs to somebody already, under another name.
    func claim(_ claim: Claim) throws(StoreError) -> String? {
        // They become parts of a host's name and of a URI in certificates.
        for word in [claim.name, claim.product] where !Store.isName(word) { return "'\(word.prefix(80))' is no name" }
        return try perform { db in
            if let known = try Device.fetchOne(db, key: claim.deviceID) {
                return known.name == claim.name ? nil : "already claimed as \(known.name)"
            }
            if try Device.filter(sql: "name = ?", arguments: [claim.name]).fetchCount(db) > 0 {
                return "the name is taken"
            }
            try Device(
                deviceID: claim.deviceID, name: claim.name, product: claim.product, deviceGroup: claim.group, kind: claim.kind
            ).insert(db)
            return nil
        }
    }

    /// A letter, then letters, digits and '-', at most 63.
    private static func isName(_ text: String) -> Bool {
        text.utf8.count <= 63 && text.first.map { $0.isASCII && $0.isLetter } ?? false
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }

    func device(_ deviceID: String) throws(StoreError) -> Device? {
        try perform { try Device.fetchOne($0.cachedStatement(sql: "SELECT * FROM device WHERE deviceID = ?"), arguments: [deviceID]) }
    }

    // MARK: Attestation

    /// - Parameter secret: What only the endorsed hardware can read; empty for nothing.
    func addChallenge(_ nonce: String, deviceID: String, secret: [UInt8], expires: Int64, now: Int64) throws(StoreError) {
        try perform { db in
            try db.execute(sql: "DELETE FROM challenge WHERE expires < ?", arguments: [now])
            try db.execute(sql: "INSERT INTO challenge VALUES (?, ?, ?, ?)", arguments: [nonce, deviceID, expires, Data(secret)])
        }
    }

    /// The secret of a challenge that is still good, once; nil if there is none of that nonce.
    func takeChallenge(_ nonce: String, deviceID: String, now: Int64) throws(StoreError) -> [UInt8]? {
        try perform { db in
            try Data.fetchOne(
                db, sql: "DELETE FROM challenge WHERE nonce = ? AND deviceID = ? AND expires >= ? RETURNING secret",
                arguments: [nonce, deviceID, now]
            ).map(Array.init)
        }
    }

    /// Records the result; if a ticket is given it enrols once for each kind of certificate.
    func appraised(
        deviceID: String, result: String, ticket: String?, kinds: [String], expires: Int64, now: Int64
    ) throws(StoreError) {
        try perform { db in
            try db.execute(
                sql: "INSERT INTO appraisal (deviceID, unixSeconds, result) VALUES (?, ?, ?)",
                arguments: [deviceID, now, result])
            try db.execute(sql: "DELETE FROM ticket WHERE expires < ?", arguments: [now])
            guard let ticket else { return }
            for kind in kinds {
                try db.execute(
                    sql: "INSERT INTO ticket VALUES (?, ?, ?, ?)", arguments: [ticket, kind, deviceID, expires])
            }
        }
    }

    /// Records a certificate, and spends the ticket that it was had for; false if the ticket is no good.
    /// - Parameter ticket: Nil where none is needed.
    func enrol(
        ticket: String?, kind: String, deviceID: String, serial: String, notAfter: Int64, now: Int64
    ) throws(StoreError) -> Bool {
        try perform { db in
            if let ticket {
                try db.execute(
                    sql: "DELETE FROM ticket WHERE ticket = ? AND kind = ? AND deviceID = ? AND expires >= ?",
                    arguments: [ticket, kind, deviceID, now])
                guard db.changesCount == 1 else { return false }
            }
            try db.execute(
                sql: "INSERT INTO certificate VALUES (?, ?, ?, ?)", arguments: [serial, deviceID, kind, notAfter])
            return true
        }
    }

    // MARK: Operation

    func add(_ report: ServiceAPI.ErrorReport, deviceID: String) throws(StoreError) {
        try perform { db in
            for event in report.events {
                try db.execute(
                    sql: """
                        INSERT INTO report (deviceID, category, description, unixSeconds, count)
                        VALUES (?, ?, ?, ?, ?)
                        """,
                    arguments: [deviceID, event.category.rawValue, event.description, event.unixSeconds, event.count])
            }
        }
    }

    func heartbeat(deviceID: String, unixSeconds: Int64) throws(StoreError) {
        try perform { db in
            try db.execute(
                sql: """
                    INSERT INTO heartbeat VALUES (?, ?)
                    ON CONFLICT (deviceID) DO UPDATE SET unixSeconds = excluded.unixSeconds
                    """, arguments: [deviceID, unixSeconds])
        }
    }

    /// A disk without room: nothing can be committed, and what is there can be read.
    func fill(_ isFull: Bool) {
        if isFull { queue.add(transactionObserver: fullDisk) } else { queue.remove(transactionObserver: fullDisk) }
    }

    private final class FullDisk: TransactionObserver {
        func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }
        private var hasChanged = false
        func databaseDidChange(with event: DatabaseEvent) { hasChanged = true }
        func databaseWillCommit() throws { if hasChanged { throw StoreError.database("the disk is full") } }
        func databaseDidCommit(_ db: Database) { hasChanged = false }
        func databaseDidRollback(_ db: Database) { hasChanged = false }
    }

    func counts() throws(StoreError) -> (devices: Int, certificates: Int, reports: Int) {
        try perform { db in
            (
                try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM device") ?? 0,
                try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM certificate") ?? 0,
                try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM report") ?? 0
            )
        }
    }
}

extension Store: InventoryDatabase {
    func inventoried(_ deviceID: String) throws -> InventoriedDevice? { try device(deviceID)?.inventoried }

    func devices(group: String) throws -> [String] {
        try perform {
            try String.fetchAll(
                $0, sql: "SELECT deviceID FROM device WHERE deviceGroup = ? AND lockedOutSince IS NULL ORDER BY name", arguments: [group])
        }
    }

    func lastHeard(_ deviceID: String) throws -> Int64? {
        try perform { try Int64.fetchOne($0, sql: "SELECT unixSeconds FROM heartbeat WHERE deviceID = ?", arguments: [deviceID]) }
    }
}

extension Store.Device {
    var inventoried: InventoriedDevice {
        InventoriedDevice(deviceID: deviceID, name: name, group: deviceGroup, kind: kind, isLockedOut: lockedOutSince != nil)
    }
}
