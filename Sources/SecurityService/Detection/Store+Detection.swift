import GRDB

/// What detection remembers.
extension Store {
    static func createDetection(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE alert (rule TEXT NOT NULL, subject TEXT NOT NULL, unixSeconds INTEGER NOT NULL, PRIMARY KEY (rule, subject));
                CREATE TABLE residence (deviceID TEXT PRIMARY KEY, address TEXT NOT NULL, unixSeconds INTEGER NOT NULL);
                """)
    }

    /// True unless the same was seen a little while ago; remembered in any case, so that what goes on is said once.
    func isNews(rule: String, subject: String, now: Int64, quietSeconds: Int64) throws(StoreError) -> Bool {
        try perform { db in
            let last = try Int64.fetchOne(
                db, sql: "SELECT unixSeconds FROM alert WHERE rule = ? AND subject = ?", arguments: [rule, subject])
            try db.execute(
                sql: "INSERT INTO alert VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET unixSeconds = excluded.unixSeconds",
                arguments: [rule, subject, now])
            return last.map { now - $0 >= quietSeconds } ?? true
        }
    }

    /// The address where an identity lives, if it is another than this one; else it lives here from now on.
    func residence(deviceID: String, address: String, now: Int64, residenceSeconds: Int64) throws(StoreError) -> String? {
        try perform { db in
            let home = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT address, unixSeconds FROM residence WHERE deviceID = ?"), arguments: [deviceID])
            if let home, home[0] != address, now - (home[1] as Int64) < residenceSeconds { return home[0] }
            try db.cachedStatement(
                sql: """
                    INSERT INTO residence VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET address = excluded.address, unixSeconds = excluded.unixSeconds
                    """
            ).execute(arguments: [deviceID, address, now])
            return nil
        }
    }

    /// How many devices of a group have reported something of a category.
    func devicesReporting(_ category: String, group: String, during: ClosedRange<Int64>) throws(StoreError) -> Int {
        try perform { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT COUNT(DISTINCT r.deviceID) FROM report r JOIN device d ON d.deviceID = r.deviceID
                    WHERE r.category = ? AND d.deviceGroup = ? AND r.unixSeconds BETWEEN ? AND ?
                    """, arguments: [category, group, during.lowerBound, during.upperBound])
                ?? 0
        }
    }

    /// Devices, by name, that were heard of once and not since. Who is locked out is expected to be silent, and who was readmitted has
    /// been so until then.
    func silent(since: Int64) throws(StoreError) -> [(device: String, last: Int64)] {
        try perform { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT d.name, MAX(h.unixSeconds, COALESCE(d.readmittedAt, 0)) AS last
                        FROM heartbeat h JOIN device d ON d.deviceID = h.deviceID
                        WHERE d.lockedOutSince IS NULL AND last < ? ORDER BY d.name
                        """), arguments: [since]
            ).map { ($0[0], $0[1]) }
        }
    }
}
