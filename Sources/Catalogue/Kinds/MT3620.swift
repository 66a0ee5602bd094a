extension DeviceKindDescription {
    static let mt3620 = DeviceKindDescription(
        summary: "a microcontroller with a hardware root of trust and an OS with a security monitor, as Azure Sphere was",
        features: Set(DeviceFeature.allCases), lacks: [],
        keys: "in fuses, behind a security processor that gives none away",
        evidence: "PSA token (RFC 9783) over each image that was started",
        updateChannel: .repository, hardware: "orrery/mt3620-model/1")
}
