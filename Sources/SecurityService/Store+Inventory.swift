import GRDB

/// What an operator decides about devices.
extension Store {
    /// Devices that are locked out, and when others were readmitted.
    static func addLockOuts(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE device ADD COLUMN lockedOutSince INTEGER;
                ALTER TABLE device ADD COLUMN readmittedAt INTEGER;
                PRAGMA user_version = 6;
                """)
    }

    /// Changes devices in one transaction.
    /// - Returns: Those that are something else now, as they were and as they are.
    func change(_ names: [String], _ change: (inout Device) -> Void) throws(StoreError) -> [(before: Device, after: Device)] {
        try perform { db in
            try names.compactMap { name in
                guard let before = try Device.filter(sql: "name = ?", arguments: [name]).fetchOne(db) else { return nil }
                var after = before
                change(&after)
                guard after != before else { return nil }
                try after.update(db)
                return (before, after)
            }
        }
    }
}
