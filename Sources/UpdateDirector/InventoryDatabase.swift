public import GRDB
import Wire

/// The inventory database of a director (Uptane 2.1.0): which devices there are, and what each runs.
///
/// The devices are the service's, the rest is the director's, and all of it is one file.
public protocol InventoryDatabase {
    /// One transaction.
    func perform<T>(_ body: (Database) throws -> T) throws -> T
    /// Nil if nobody has claimed it.
    func inventoried(_ deviceID: String) throws -> InventoriedDevice?
    /// Device IDs, by the names of the devices; without those that are locked out.
    func devices(group: String) throws -> [String]
    /// When a device was last heard of, in Unix seconds; nil for never.
    func lastHeard(_ deviceID: String) throws -> Int64?
}

public struct InventoriedDevice: Sendable {
    public var deviceID: String
    public var name: String
    public var group: String
    /// Which kind of device it is.
    public var kind: String
    /// Nothing is deployed to it.
    public var isLockedOut: Bool
    public init(deviceID: String, name: String, group: String, kind: String, isLockedOut: Bool = false) {
        self.isLockedOut = isLockedOut
        self.kind = kind
        self.deviceID = deviceID
        self.name = name
        self.group = group
    }
}

/// What the director adds to that database, one version after the other.
public enum DirectorSchema {
    /// Images, rollouts, what devices run, and the files of repositories.
    public static func create(_ db: Database) throws {
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

    /// Images for more than one kind of hardware.
    public static func addHardware(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE image ADD COLUMN hardware TEXT NOT NULL DEFAULT '';
                PRAGMA user_version = 4;
                """)
    }

    /// Rollouts that end, and what devices refuse; releases that leave the security version as it was, and ways back to what was before.
    public static func addEnds(_ db: Database) throws {
        // Of a rollout that is under way the time begins where it was last heard of.
        try db.execute(
            sql: """
                ALTER TABLE deployment ADD COLUMN timeoutSeconds INTEGER NOT NULL DEFAULT \(RolloutTerms.usualBatchTimeoutSeconds);
                ALTER TABLE deployment ADD COLUMN openedAt INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE deployment ADD COLUMN replaces TEXT NOT NULL DEFAULT '';
                UPDATE deployment SET openedAt = changedAt;
                ALTER TABLE image ADD COLUMN securityVersion INTEGER NOT NULL DEFAULT 0;
                UPDATE image SET securityVersion = version;
                ALTER TABLE failure ADD COLUMN kind TEXT NOT NULL DEFAULT 'failed';
                PRAGMA user_version = 5;
                """)
    }

    /// Releases that reach one group after another.
    public static func addFeeds(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE deployment ADD COLUMN step TEXT NOT NULL DEFAULT '';
                ALTER TABLE deployment ADD COLUMN opensAt INTEGER NOT NULL DEFAULT 0;
                PRAGMA user_version = 3;
                """)
    }
}
