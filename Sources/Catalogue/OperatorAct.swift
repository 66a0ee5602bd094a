public enum OperatorAct: String, Sendable, Codable, CaseIterable {
    /// Asks devices to look for updates now.
    case checkUpdates = "check-updates"
    /// Brings in new keys for update metadata, under a new root: what helps after a theft.
    case rotateUpdateKeys = "rotate-update-keys"
    /// Has the service make a new key and certificate of its own.
    case rotateServiceCertificate = "rotate-service-certificate"
    /// Has the service make a new authority of the catalog. It issues when the overlap is over (AS-8).
    case rotateCatalogAuthority = "rotate-catalog-authority"
    /// Has the root's keyholders make a new policy authority, and the service an authority of the catalog below it.
    case rotatePolicyAuthority = "rotate-policy-authority"
    /// The same under a new root, which devices get in a new trust store; the old root vouches for it meanwhile.
    case rotateRoot = "rotate-root"
    /// The fleet changes its owner: devices get whom to trust and where to go in an update that the old one signs.
    case handOver = "hand-over"
    /// A technician with a cable fills devices anew, with the newest images of whoever the fleet belongs to (HW-26).
    case recover

    /// Takes a release back: nobody else gets it, and who has it goes back, as far as anti-rollback lets him.
    case withdraw

    /// The service has no more to do with devices, until they are readmitted.
    case lockOut = "lock-out"
    case readmit
    /// To another device group (AS-20).
    case move

    /// It is done to devices; else to the service.
    public var hasTargets: Bool {
        switch self {
        case .checkUpdates, .recover, .lockOut, .readmit, .move: true
        case .rotateUpdateKeys, .rotateServiceCertificate, .rotateCatalogAuthority, .rotatePolicyAuthority, .rotateRoot: false
        case .handOver, .withdraw: false
        }
    }

    /// It is about devices, and the service is told.
    public var isOfInventory: Bool { self == .lockOut || self == .readmit || self == .move }

    public var parameters: [Parameter] {
        switch self {
        case .rotateCatalogAuthority, .rotatePolicyAuthority, .rotateRoot, .handOver: [Parameter("overlap", .duration, isRequired: false)]
        // The newest that there is, or what devices left the factory with.
        case .recover: [Parameter("images", .word(["newest", "factory"]), isRequired: false)]
        case .checkUpdates, .rotateUpdateKeys, .rotateServiceCertificate, .withdraw, .lockOut, .readmit, .move: []
        }
    }

    /// Devices have something to install for it, which spreads like a release.
    public var isRollout: Bool { self == .rotateRoot || self == .handOver }
}
