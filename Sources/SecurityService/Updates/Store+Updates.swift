import Exchange
import Foundation
import GRDB

/// Images, deployments, what devices report, and signed metadata.
extension Store {
    struct Image: Codable, FetchableRecord, PersistableRecord {
        static let databaseTableName = "image"
        /// In hexadecimal digits, of the whole package as it is served.
        var sha256: String
        /// As targets name it, such as `compressor@2`.
        var name: String
        var component: String
        var type: Int
        var version: Int64
        var bytes: Data
    }

    /// An image without its bytes, which most questions are not about.
    struct ImageHead: Codable, FetchableRecord {
        var sha256: String
        var name: String
        var component: String
        var type: Int
        var version: Int64
        var length: Int
    }

    struct Deployment: Codable, FetchableRecord, MutablePersistableRecord {
        static let databaseTableName = "deployment"
        var id: Int64?
        var deviceGroup: String
        /// SHA-256 of images, separated by spaces.
        var images: String
        /// As the operator wrote them, separated by spaces.
        var batches: String
        var threshold: Double
        var soakSeconds: Int64
        var openBatch: Int
        var changedAt: Int64
        var state: String
        var reason: String
        /// The order that it comes from.
        var step: String
        /// Unix seconds.
        var opensAt: Int64

        var digests: [String] { images.split(separator: " ").map(String.init) }
        mutating func didInsert(_ inserted: InsertionSuccess) { id = inserted.rowID }
    }

    /// Version and end of a role's current file; `note` says what it was made from.
    struct RoleHead {
        var version: Int64
        var expires: Int64
        var note: String
    }

    static func createUpdates(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE image (
                    sha256 TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, component TEXT NOT NULL, type INTEGER NOT NULL,
                    version INTEGER NOT NULL, bytes BLOB NOT NULL);
                CREATE TABLE deployment (
                    id INTEGER PRIMARY KEY, deviceGroup TEXT NOT NULL, images TEXT NOT NULL, batches TEXT NOT NULL,
                    threshold REAL NOT NULL, soakSeconds INTEGER NOT NULL, openBatch INTEGER NOT NULL,
                    changedAt INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL);
                CREATE TABLE installed (
                    deviceID TEXT NOT NULL, component TEXT NOT NULL, sha256 TEXT NOT NULL, version INTEGER NOT NULL,
                    PRIMARY KEY (deviceID, component));
                CREATE TABLE failure (
                    deviceID TEXT NOT NULL, sha256 TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (deviceID, sha256));
                CREATE TABLE role (
                    repository TEXT NOT NULL, role TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL,
                    note TEXT NOT NULL, PRIMARY KEY (repository, role));
                CREATE TABLE metadata (
                    repository TEXT NOT NULL, file TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (repository, file));
                CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
                PRAGMA user_version = 2;
                """)
    }

    static func createFeeds(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE deployment ADD COLUMN step TEXT NOT NULL DEFAULT '';
                ALTER TABLE deployment ADD COLUMN opensAt INTEGER NOT NULL DEFAULT 0;
                PRAGMA user_version = 3;
                """)
    }

    // MARK: Images and deployments

    func add(_ images: [Image], _ deployments: [Deployment]) throws(StoreError) {
        try perform { db in
            for image in images where try Image.fetchOne(db, key: image.sha256) == nil { try image.insert(db) }
            for var deployment in deployments { try deployment.insert(db) }
        }
    }

    func images() throws(StoreError) -> [ImageHead] {
        try perform { db in
            try ImageHead.fetchAll(
                db, sql: "SELECT sha256, name, component, type, version, LENGTH(bytes) AS length FROM image ORDER BY name")
        }
    }

    func image(named name: String) throws(StoreError) -> Image? {
        try perform { try Image.filter(sql: "name = ?", arguments: [name]).fetchOne($0) }
    }

    func deployments(group: String) throws(StoreError) -> [Deployment] {
        try perform { try Deployment.filter(sql: "deviceGroup = ?", arguments: [group]).order(sql: "id").fetchAll($0) }
    }

    func save(_ deployment: Deployment) throws(StoreError) { try perform { try deployment.update($0) } }

    // MARK: What devices say

    /// Records a report; true if it tells something new.
    func record(_ status: ServiceAPI.UpdateStatus, deviceID: String) throws(StoreError) -> Bool {
        try perform { db in
            var isNew = false
            for image in status.images {
                try db.execute(
                    sql: """
                        INSERT INTO installed VALUES (?, ?, ?, ?) ON CONFLICT (deviceID, component) DO UPDATE SET
                            sha256 = excluded.sha256, version = excluded.version WHERE sha256 <> excluded.sha256
                        """, arguments: [deviceID, image.component, image.sha256, image.version])
                isNew = isNew || db.changesCount > 0
            }
            for failure in status.failures {
                try db.execute(
                    sql: "INSERT INTO failure VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    arguments: [deviceID, failure.sha256, String(failure.reason.prefix(200))])
                isNew = isNew || db.changesCount > 0
            }
            return isNew
        }
    }

    /// Devices of a group that have one of the components, by name, with the digests that they run and that failed.
    func installations(
        group: String, components: [String]
    ) throws(StoreError) -> [(deviceID: String, name: String, running: Set<String>, failed: Set<String>)] {
        try perform { db in
            let marks = components.map { _ in "?" }.joined(separator: ", ")
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT d.deviceID, d.name, i.sha256 FROM device d JOIN installed i ON i.deviceID = d.deviceID
                    WHERE d.deviceGroup = ? AND i.component IN (\(marks)) ORDER BY d.name
                    """, arguments: StatementArguments([group] + components))
            var found: [(deviceID: String, name: String, running: Set<String>, failed: Set<String>)] = []
            for row in rows {
                let deviceID: String = row[0]
                if found.last?.deviceID != deviceID {
                    let failed = try String.fetchSet(db, sql: "SELECT sha256 FROM failure WHERE deviceID = ?", arguments: [deviceID])
                    found.append((deviceID, row[1], [], failed))
                }
                found[found.count - 1].running.insert(row[2])
            }
            return found
        }
    }

    // MARK: Metadata

    /// Which generation of keys signs metadata, from 1.
    func keyGeneration() throws(StoreError) -> Int {
        try perform { try Int.fetchOne($0, sql: "SELECT value FROM setting WHERE name = 'keyGeneration'") ?? 1 }
    }

    func setKeyGeneration(_ generation: Int) throws(StoreError) {
        try perform { db in
            try db.execute(
                sql: "INSERT INTO setting VALUES ('keyGeneration', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                arguments: [generation])
        }
    }

    func roles(_ repository: String) throws(StoreError) -> [String: RoleHead] {
        try perform { db in
            var heads: [String: RoleHead] = [:]
            for row in try Row.fetchAll(
                db, sql: "SELECT role, version, expires, note FROM role WHERE repository = ?", arguments: [repository])
            {
                heads[row[0]] = RoleHead(version: row[1], expires: row[2], note: row[3])
            }
            return heads
        }
    }

    func metadata(_ repository: String, _ file: String) throws(StoreError) -> [UInt8]? {
        try perform { db in
            try Data.fetchOne(
                db, sql: "SELECT bytes FROM metadata WHERE repository = ? AND file = ?", arguments: [repository, file]
            ).map(Array.init)
        }
    }

    /// All files of one publication at once.
    func publish(_ repository: String, files: [String: [UInt8]], heads: [String: RoleHead]) throws(StoreError) {
        try perform { db in
            for (file, bytes) in files.sorted(by: { $0.key < $1.key }) {
                try db.execute(
                    sql: "INSERT INTO metadata VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
                    arguments: [repository, file, Data(bytes)])
            }
            for (role, head) in heads.sorted(by: { $0.key < $1.key }) {
                try db.execute(
                    sql: """
                        INSERT INTO role VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                            version = excluded.version, expires = excluded.expires, note = excluded.note
                        """, arguments: [repository, role, head.version, head.expires, head.note])
            }
        }
    }
}
