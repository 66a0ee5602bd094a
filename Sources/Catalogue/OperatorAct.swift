public enum OperatorAct: String, Sendable, Codable, CaseIterable {
    /// Asks devices to look for updates now.
    case checkUpdates = "check-updates"
    /// Brings in new keys for update metadata, under a new root: what helps after a theft.
    case rotateUpdateKeys = "rotate-update-keys"
    /// Has the service make a new key and certificate of its own.
    case rotateServiceCertificate = "rotate-service-certificate"
    /// Has the service make a new authority of the catalog. It issues when the overlap is over (AS-8).
    case rotateCatalogAuthority = "rotate-catalog-authority"
    /// A technician with a cable brings devices back to what they left the factory with (HW-26).
    case recover

    /// Takes a release back: nobody else gets it, and who has it goes back, as far as anti-rollback lets him.
    case withdraw

    /// It is done to devices; else to the service.
    public var hasTargets: Bool {
        switch self {
        case .checkUpdates, .recover: true
        case .rotateUpdateKeys, .rotateServiceCertificate, .rotateCatalogAuthority, .withdraw: false
        }
    }

    public var parameters: [Parameter] {
        self == .rotateCatalogAuthority ? [Parameter("overlap", .duration, isRequired: false)] : []
    }
}
