public enum OperatorAct: String, Sendable, Codable, CaseIterable {
    /// Asks devices to look for updates now.
    case checkUpdates = "check-updates"
    /// Brings in new keys for update metadata, under a new root: what helps after a theft.
    case rotateUpdateKeys = "rotate-update-keys"
    /// A technician with a cable brings devices back to what they left the factory with (HW-26).
    case recover

    /// It is done to devices; else to the service.
    public var hasTargets: Bool { self != .rotateUpdateKeys }
}
