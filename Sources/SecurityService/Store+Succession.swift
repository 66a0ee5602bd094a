import Configuration
import GRDB
import Wire

extension Store {
    /// What a former owner has said of the fleet.
    static func addSuccession(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE inherited (
                    hardware TEXT NOT NULL, type INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (hardware, type, sha256));
                CREATE TABLE formerOwner (node TEXT PRIMARY KEY);
                """)
    }

    /// In the order of their names.
    func devices() throws(StoreError) -> [Device] { try perform { try Device.order(sql: "name").fetchAll($0) } }

    /// Its devices are claimed already.
    func inherit(_ inventory: Inventory) throws(StoreError) {
        try perform { db in
            for (name, since) in inventory.lockedOut.sorted(by: { $0.key < $1.key }) {
                try db.execute(sql: "UPDATE device SET lockedOutSince = ? WHERE name = ?", arguments: [since, name])
            }
            for reference in inventory.references {
                try db.execute(
                    sql: "INSERT OR IGNORE INTO inherited VALUES (?, ?, ?)",
                    arguments: [reference.hardware, reference.type, reference.sha256])
            }
            try db.execute(sql: "INSERT OR IGNORE INTO formerOwner VALUES (?)", arguments: [inventory.from])
        }
    }

    func inherited() throws(StoreError) -> (references: [ReferenceMeasurement], from: String?) {
        try perform { db in
            let rows = try Row.fetchAll(db, sql: "SELECT hardware, type, sha256 FROM inherited ORDER BY hardware, type, sha256")
            return (
                rows.map { ReferenceMeasurement(hardware: $0[0], type: $0[1], sha256: $0[2]) },
                try String.fetchOne(db, sql: "SELECT node FROM formerOwner")
            )
        }
    }

    /// A device that has gone to another owner is not silent.
    func forgetHeartbeat(_ deviceID: String) throws(StoreError) {
        try perform { try $0.execute(sql: "DELETE FROM heartbeat WHERE deviceID = ?", arguments: [deviceID]) }
    }
}

extension Store.Device {
    var claim: Claim { Claim(deviceID: deviceID, name: name, product: product, group: deviceGroup, kind: kind) }
}
