/// The certificates of a catalog: root → policy → catalog → service (AS-7), and how long each lives.
///
/// The original's root and policy keys are on P-384; all of ours are on P-256 (DESIGN §7).
public struct Hierarchy: Sendable {
    /// In seconds.
    public enum Lifetime {
        public static let day: Int64 = 86_400
        private static let year = 365 * day
        public static let root = 20 * year
        /// It is made in a ceremony of the root's keyholders: longer than devices live.
        public static let policy = 15 * year
        /// AS-8.
        public static let catalog = 2 * year
        public static let service = 90 * day
        /// So long before the devices leave the factory the authorities are made.
        public static let beforeStart = 60 * day
    }

    /// Over so many rotations of the root a path leads from one that is trusted.
    public static let crossings = 2

    public let organization: String
    public init(organization: String) { self.organization = organization }

    /// - Parameter number: From 1; a root that takes the place of another has a name of its own.
    public func root(_ number: Int = 1, notBefore: Int64) -> CertificateTemplate {
        authority("Orrery root CA" + (number > 1 ? " \(number)" : ""), below: 2 + Hierarchy.crossings, notBefore, notBefore + Lifetime.root)
    }

    /// A new root as the one before it vouches for it (RFC 4210 section 4.4, NewWithOld): who trusts the old one follows to the new.
    public func cross(_ number: Int, notBefore: Int64, notAfter: Int64) -> CertificateTemplate {
        authority("Orrery root CA \(number)", below: 1 + Hierarchy.crossings, notBefore, notAfter)
    }

    public func policy(notBefore: Int64) -> CertificateTemplate {
        authority("Orrery policy CA", below: 1, notBefore, notBefore + Lifetime.policy)
    }

    /// What issues for the catalog's devices and for the service.
    public func catalog(notBefore: Int64, notAfter: Int64) -> CertificateTemplate {
        authority("\(organization) catalog CA", below: 0, notBefore, notAfter)
    }

    private func authority(_ name: String, below count: Int, _ notBefore: Int64, _ notAfter: Int64) -> CertificateTemplate {
        CertificateTemplate(
            commonName: name, organization: organization, serial: Hierarchy.serial(), notBefore: notBefore, notAfter: notAfter,
            usage: .authority(pathLength: count))
    }

    public func service(host: String, notBefore: Int64, notAfter: Int64) -> CertificateTemplate {
        CertificateTemplate(
            commonName: host, organization: organization, serial: Hierarchy.serial(), notBefore: notBefore, notAfter: notAfter,
            hostNames: [host], usage: .endEntity)
    }

    /// 16 octets, positive (RFC 5280 section 4.1.2.2).
    public static func serial() -> [UInt8] {
        var serial = Randomness.bytes(16)
        serial[0] = serial[0] & 0x7F | 0x40
        return serial
    }
}
