import GRDB

/// How long the service keeps what nobody asks for by itself, so that its database does not grow with the age of a fleet.
extension Store {
    private static let day: Int64 = 86_400
    private static let month = 30 * day
    /// Reports are kept for so many months.
    private static let reportMonths: Int64 = 12

    /// Deletes what is over: certificates and results of attestation a month after they ended, alerts when they would be news
    /// again, reports a year after they came.
    ///
    /// A report has the time that a device says, whose clock may be wrong; when it came is known by which was the last of a month.
    func forget(now: Int64) throws(StoreError) {
        let month = now / Store.month
        try perform { db in
            try db.execute(sql: "DELETE FROM certificate WHERE notAfter < ?", arguments: [now - Store.month])
            try db.execute(sql: "DELETE FROM appraisal WHERE unixSeconds < ?", arguments: [now - Store.month])
            try db.execute(sql: "DELETE FROM alert WHERE unixSeconds < ?", arguments: [now - Store.day])
            try db.execute(
                sql: "INSERT INTO setting SELECT ?, IFNULL(MAX(id), 0) FROM report WHERE TRUE ON CONFLICT DO NOTHING",
                arguments: ["reports \(month)"])
            let old = "name LIKE 'reports %' AND CAST(SUBSTR(name, 9) AS INTEGER) < ?"
            // The last one stays, so that no later one has its number.
            try db.execute(
                sql: """
                    DELETE FROM report WHERE id <= (SELECT MAX(value) FROM setting WHERE \(old)) AND id < (SELECT MAX(id) FROM report)
                    """, arguments: [month - Store.reportMonths])
            try db.execute(sql: "DELETE FROM setting WHERE \(old)", arguments: [month - Store.reportMonths])
        }
    }
}
