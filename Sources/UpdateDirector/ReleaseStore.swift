import Exchange
import Foundation
import GRDB

/// Images, deployments, what devices report, and signed metadata: tables of the inventory's database.
struct ReleaseStore {
    let inventory: any InventoryDatabase

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
        /// Which it is for, in hex.
        var hardware: String
        /// What anti-rollback goes by.
        var securityVersion: Int64
    }

    /// An image without its bytes, which most questions are not about.
    struct ImageHead: Codable, FetchableRecord {
        var sha256: String
        var name: String
        var component: String
        var type: Int
        var version: Int64
        var length: Int
        var hardware: String
        var securityVersion: Int64
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
        /// How long a batch may take, and since when (Unix seconds) the open one does.
        var timeoutSeconds: Int64
        var openedAt: Int64
        /// SHA-256 of images, separated by spaces: only who runs one of them gets it. Empty for everybody.
        var replaces: String

        var digests: [String] { images.split(separator: " ").map(String.init) }
        var replaced: Set<String> { Set(replaces.split(separator: " ").map(String.init)) }
        var rolloutState: Rollout.State? { Rollout.State(rawValue: state) }
        mutating func didInsert(_ inserted: InsertionSuccess) { id = inserted.rowID }
    }

    /// Version and end of a role's current file; `note` says what it was made from.
    struct RoleHead {
        var version: Int64
        var expires: Int64
        var note: String
    }

    // MARK: Images and deployments

    func add(_ images: [Image], _ deployments: [Deployment]) throws {
        try inventory.perform { db in
            for image in images where try Image.fetchOne(db, key: image.sha256) == nil { try image.insert(db) }
            for var deployment in deployments { try deployment.insert(db) }
        }
    }

    func images() throws -> [ImageHead] {
        try inventory.perform { db in
            try ImageHead.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT sha256, name, component, type, version, LENGTH(bytes) AS length, hardware, securityVersion
                        FROM image ORDER BY name
                        """))
        }
    }

    func image(named name: String) throws -> Image? {
        try inventory.perform { try Image.filter(sql: "name = ?", arguments: [name]).fetchOne($0) }
    }

    func deployments(group: String) throws -> [Deployment] {
        try inventory.perform { db in
            try Deployment.fetchAll(
                db.cachedStatement(sql: "SELECT * FROM deployment WHERE deviceGroup = ? ORDER BY id"), arguments: [group])
        }
    }

    /// In the order of their publication.
    func deployments(step: String) throws -> [Deployment] {
        try inventory.perform { try Deployment.filter(sql: "step = ?", arguments: [step]).order(sql: "id").fetchAll($0) }
    }

    /// Those that have not been decided by the end of their batch's time, by group.
    func overdue(now: Int64) throws -> [Deployment] {
        try inventory.perform { db in
            try Deployment.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT * FROM deployment WHERE (state = 'running' AND openedAt + timeoutSeconds <= ?)
                            OR (state = 'scheduled' AND opensAt + timeoutSeconds <= ?) ORDER BY deviceGroup, id
                        """), arguments: [now, now])
        }
    }

    func save(_ deployment: Deployment) throws { try inventory.perform { try deployment.update($0) } }

    // MARK: What devices say

    /// Records a report; true if it tells something new.
    func record(_ status: ServiceAPI.UpdateStatus, deviceID: String) throws -> Bool {
        try inventory.perform { db in
            var isNew = false
            for image in status.images {
                try db.cachedStatement(
                    sql: """
                        INSERT INTO installed VALUES (?, ?, ?, ?) ON CONFLICT (deviceID, component) DO UPDATE SET
                            sha256 = excluded.sha256, version = excluded.version WHERE sha256 <> excluded.sha256
                        """
                ).execute(arguments: [deviceID, image.component, image.sha256, image.version])
                isNew = isNew || db.changesCount > 0
            }
            for failure in status.failures {
                try db.execute(
                    sql: "INSERT INTO failure VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    arguments: [deviceID, failure.sha256, String(failure.reason.prefix(200)), (failure.kind ?? .failed).rawValue])
                isNew = isNew || db.changesCount > 0
            }
            return isNew
        }
    }

    struct Installation {
        var deviceID: String
        /// Digests that it runs of the components that were asked for.
        var running: Set<String>
        /// What it could not install or would not, by digest.
        var failures: [String: (kind: ServiceAPI.UpdateStatus.Failure.Kind, reason: String)]
    }

    /// Devices of a group that have one of the components, by name; then those that have never said what they have.
    func installations(group: String, components: [String]) throws -> [Installation] {
        let devices = try inventory.devices(group: group)
        return try inventory.perform { db in
            let marks = components.map { _ in "?" }.joined(separator: ", ")
            let rows = try Row.fetchAll(
                db, sql: "SELECT deviceID, sha256 FROM installed WHERE component IN (\(marks))", arguments: StatementArguments(components))
            let running = [String: Set<String>](rows.map { ($0[0], [$0[1]]) }) { $0.union($1) }
            let known = try String.fetchSet(db, sql: "SELECT DISTINCT deviceID FROM installed")
            let found = try devices.compactMap { deviceID -> Installation? in
                guard let running = running[deviceID] else { return nil }
                var failures: [String: (kind: ServiceAPI.UpdateStatus.Failure.Kind, reason: String)] = [:]
                for row in try Row.fetchAll(db, sql: "SELECT sha256, kind, reason FROM failure WHERE deviceID = ?", arguments: [deviceID]) {
                    failures[row[0]] = (.init(rawValue: row[1]) ?? .failed, row[2])
                }
                return Installation(deviceID: deviceID, running: running, failures: failures)
            }
            return found + devices.filter { !known.contains($0) }.map { Installation(deviceID: $0, running: [], failures: [:]) }
        }
    }

    // MARK: Metadata

    /// Which roots have been published so far.
    func rootHistory() throws -> RootHistory {
        try inventory.perform { db in
            // As a database from before roots were renewed says it: each brought the next keys.
            let first = try Int.fetchOne(db, sql: "SELECT value FROM setting WHERE name = 'keyGeneration'") ?? 1
            let later = try Int.fetchAll(
                db, sql: "SELECT value FROM setting WHERE name LIKE 'root %' ORDER BY CAST(SUBSTR(name, 6) AS INTEGER)")
            return RootHistory(generations: Array(1...max(1, min(first, 2))) + later)
        }
    }

    /// Keeps what comes after the roots that are published.
    func append(_ history: RootHistory) throws {
        try inventory.perform { db in
            try db.execute(
                sql: "INSERT INTO setting VALUES (?, ?)", arguments: ["root \(history.generations.count)", history.generation])
        }
    }

    func roles(_ repository: String) throws -> [String: RoleHead] {
        try inventory.perform { db in
            var heads: [String: RoleHead] = [:]
            for row in try Row.fetchAll(
                db, sql: "SELECT role, version, expires, note FROM role WHERE repository = ?", arguments: [repository])
            {
                heads[row[0]] = RoleHead(version: row[1], expires: row[2], note: row[3])
            }
            return heads
        }
    }

    func metadata(_ repository: String, _ file: String) throws -> [UInt8]? {
        try inventory.perform { db in
            try Data.fetchOne(
                db, sql: "SELECT bytes FROM metadata WHERE repository = ? AND file = ?", arguments: [repository, file]
            ).map(Array.init)
        }
    }

    /// All files of one publication at once. Of snapshots and targets the ones before stay, for whoever has read the timestamp
    /// that named them a moment ago; what was before those nobody can ask for any more.
    func publish(_ repository: String, files: [String: [UInt8]], heads: [String: RoleHead]) throws {
        try inventory.perform { db in
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
                if files["\(head.version).\(role).json"] == nil { continue }
                try db.execute(
                    sql: "DELETE FROM metadata WHERE repository = ? AND file LIKE ? AND CAST(file AS INTEGER) < ?",
                    arguments: [repository, "%.\(role).json", head.version - 1])
            }
        }
    }
}
