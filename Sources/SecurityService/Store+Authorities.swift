import Foundation
import GRDB
import SecureChannel

extension Store {
    /// Keeps what has been renewed before anybody sees it.
    func add(_ role: AuthorityRole, _ issued: Authority.Issued) throws(StoreError) {
        try perform { db in
            try db.execute(
                sql: "INSERT INTO authority (role, certificate, key, issuer, activeFrom) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    role.rawValue, Data(issued.certificate.der), Data(issued.scalar), Data(issued.issuer.der), issued.activeFrom,
                ])
        }
    }

    /// In the order in which it was renewed.
    func renewed() throws -> [(role: AuthorityRole, issued: Authority.Issued)] {
        let rows = try perform { try Row.fetchAll($0, sql: "SELECT role, certificate, key, issuer, activeFrom FROM authority ORDER BY id") }
        return try rows.compactMap { row in
            guard let role = AuthorityRole(rawValue: row[0]) else { return nil }
            func bytes(_ column: Int) -> [UInt8] { Array(row[column] as Data) }
            let issued = Authority.Issued(
                certificate: try Certificate(der: bytes(1)), key: try P256PrivateKey(scalar: bytes(2)), scalar: bytes(2),
                issuer: try Certificate(der: bytes(3)), activeFrom: row[4])
            return (role, issued)
        }
    }
}
