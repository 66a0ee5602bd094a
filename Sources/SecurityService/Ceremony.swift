import SecureChannel

/// What the root's keyholders have made on one day, as the service has it.
struct Ceremony {
    let root: Certificate
    /// A new root by the one before it (RFC 4210 section 4.4, NewWithOld).
    let cross: Certificate?
    let policy: Certificate
    /// Nil in runs that were made before the service renewed anything.
    let policyKey: P256PrivateKey?
    let isFirst: Bool

    /// - Parameter read: A file of the factory by its name.
    static func read(_ read: (String) throws -> [UInt8]) throws -> [Ceremony] {
        var all: [Ceremony] = []
        while true {
            let prefix = all.isEmpty ? "" : "ceremony-\(all.count + 1)-"
            if !all.isEmpty, (try? read("\(prefix)policy.der")) == nil { return all }
            all.append(
                Ceremony(
                    root: try Certificate(der: read("\(prefix)root.der")),
                    cross: try (try? read("\(prefix)cross.der")).map { try Certificate(der: $0) },
                    policy: try Certificate(der: read("\(prefix)policy.der")),
                    policyKey: try? P256PrivateKey(scalar: read("\(prefix)policy.key")), isFirst: all.isEmpty))
        }
    }
}
