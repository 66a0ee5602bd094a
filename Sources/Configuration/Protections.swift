public import Catalogue

/// Which protections a device or the service has (DESIGN §9): all of them, but for those that the plan has switched off.
///
/// Whoever works in either asks this, and does not look into lists of controls.
public struct Protections: Sendable {
    private let off: [Control]
    public init(off: [Control]) { self.off = off }

    private func has(_ control: Control) -> Bool { !off.contains(control) }

    // What it starts with.
    public var hardwareRootOfTrust: Bool { has(.hardwareRootOfTrust) }
    public var secureBoot: Bool { has(.secureBoot) }
    public var rollbackProtection: Bool { has(.rollbackProtection) }
    public var debugLock: Bool { has(.debugLock) }
    // Apps.
    public var appIsolation: Bool { has(.appIsolation) }
    public var memoryProtection: Bool { has(.memoryProtection) }
    // The network.
    public var networkFirewall: Bool { has(.networkFirewall) }
    public var transportEncryption: Bool { has(.transportEncryption) }
    public var certificateAuth: Bool { has(.certificateAuth) }
    public var mutualDeviceAuth: Bool { has(.mutualDeviceAuth) }
    public var strongAlgorithms: Bool { has(.strongAlgorithms) }
    public var attestationGate: Bool { has(.attestationGate) }
    public var authenticatedTime: Bool { has(.authenticatedTime) }
    public var requestLimits: Bool { has(.requestLimits) }
    // Updates and reports.
    public var renewableSecurity: Bool { has(.renewableSecurity) }
    public var signedUpdates: Bool { has(.signedUpdates) }
    public var updateFreshness: Bool { has(.updateFreshness) }
    public var errorReporting: Bool { has(.errorReporting) }

    // The service alone.
    public var nonces: Bool { has(.nonces) }
    public var threatDetection: Bool { has(.threatDetection) }

    /// Certificates say who is who; without them a secret that the whole fleet shares does.
    public var usesCertificates: Bool { certificateAuth && transportEncryption }
}

extension DeviceConfiguration {
    /// What the plan has switched off, and what its kind is made without.
    public var protections: Protections { Protections(off: controlsOff + kind.description.lacks) }
    /// Updates are believed because they come from the service.
    public var updatesOverTLS: Bool { kind.description.updateChannel == .service }
    /// Apps say in a manifest what they need.
    public var usesManifests: Bool { kind.description.features.contains(.manifests) }
}

extension ServiceConfiguration {
    public var protections: Protections { Protections(off: controlsOff) }
}
