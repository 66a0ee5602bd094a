extension DeviceKindDescription {
    /// A board that anybody can buy, with a discrete TPM on it. Its boot is measured, and not verified: what is changed starts, and the
    /// verifier hears of it. No counter keeps old images from starting; update metadata does. Nothing keeps the apps of such a system apart but the memory of their processes.
    static let linuxTPM = DeviceKindDescription(
        summary: "a commodity Linux board with a TPM 2.0: measured boot, sealed keys, BusyBox, A/B images by The Update Framework",
        features: [], lacks: [.secureBoot, .appIsolation],
        keys: "in the TPM, for TLS only as long as what has booted stays the same",
        evidence: "TPM quote over PCRs and event log",
        updateChannel: .repository, hardware: linuxBoard)

    static let linuxBoard = "orrery/linux-board/1"
}
