extension DeviceKindDescription {
    /// As such devices are sold: nothing is checked but the server's certificate.
    static let linuxPlain = DeviceKindDescription(
        summary: "the same board without a TPM: keys in a file, unsigned boot, a console with a password, updates over TLS only",
        features: [],
        lacks: [
            .hardwareRootOfTrust, .secureBoot, .rollbackProtection, .appIsolation, .networkFirewall, .signedUpdates, .updateFreshness,
            .authenticatedTime,
        ],
        keys: "in a file", evidence: "a signature by the key in the file; nothing is measured",
        updateChannel: .service, hardware: linuxBoard)
}
