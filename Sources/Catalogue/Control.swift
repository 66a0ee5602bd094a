/// The protections that a plan can switch off (DESIGN §9), as far as the system has them by now.
public enum Control: String, Sendable, Codable, CaseIterable {
    /// Off: device keys lie in flash, not in fuses behind Pluton.
    case hardwareRootOfTrust = "hardware-root-of-trust"
    /// Off: the boot chain starts images without a look at their signatures.
    case secureBoot = "secure-boot"
    /// Off: boot code decides by single branches, as it is often written.
    case glitchHardening = "glitch-hardening"
    /// Off: the cores' debug ports were never closed.
    case debugLock = "debug-lock"
    /// Off: nobody checks certificates; a secret shared by the fleet proves identity.
    case certificateAuth = "certificate-auth"
    /// Off: a device serves peers that show no certificate.
    case mutualDeviceAuth = "mutual-d2d-auth"
    /// Off: the service issues certificates without a look at the evidence.
    case attestationGate = "attestation-gate"
    /// Off: nodes speak plain HTTP, so certificates play no part either.
    case transportEncryption = "transport-encryption"
    /// Off: update metadata counts whoever signed it.
    case signedUpdates = "signed-updates"
    /// Off: neither metadata, nor images, nor Pluton's counters keep an old version out.
    case rollbackProtection = "rollback-protection"
    /// Off: update metadata does not expire, and need not be of one snapshot.
    case updateFreshness = "update-freshness"
    /// Off: nobody looks for updates.
    case renewableSecurity = "renewable-security"
    /// Off: devices do not tell the service what went wrong.
    case errorReporting = "error-reporting"
    /// Off: the service draws no conclusions from what it sees.
    case threatDetection = "threat-detection"
    /// Off: answers may be of any length, and one caller may take all connections.
    case requestLimits = "request-limits"
    /// Off: evidence counts again and again, whatever challenge it answers.
    case nonces
    /// Off: every port of a device is open, that of the factory's console among them.
    case networkFirewall = "network-firewall"
    /// Off: TLS 1.2 and weaker groups are accepted.
    case strongAlgorithms = "strong-algorithms"
    /// Off: a device sets its clock by whatever time reply reaches it.
    case authenticatedTime = "authenticated-time"
    /// Off: apps are built without a guard before their return addresses.
    case stackProtection = "stack-protection"
    /// Off: what can be written can be run.
    case memoryProtection = "memory-protection"
    /// Off: an app may use what its manifest does not list.
    case appIsolation = "app-isolation"

    /// What switching it off means, for `orrery controls`.
    public var whenOff: String {
        switch self {
        case .hardwareRootOfTrust: "device keys lie in flash, not in fuses behind Pluton"
        case .secureBoot: "the boot chain starts images without checking signatures"
        case .glitchHardening: "boot code decides by single branches, so that one fault can lead it past a check"
        case .debugLock: "the debug ports of the chip's cores were never closed"
        case .certificateAuth: "certificates are not checked; a secret shared by the fleet proves identity"
        case .mutualDeviceAuth: "a device serves peers that show no certificate"
        case .attestationGate: "the service issues certificates without appraising evidence"
        case .transportEncryption: "nodes speak plain HTTP, so certificates play no part either"
        case .signedUpdates: "devices accept update metadata whoever signed it"
        case .rollbackProtection: "neither update metadata, nor images, nor Pluton's counters keep an old version out"
        case .updateFreshness: "update metadata does not expire and need not be of one snapshot"
        case .renewableSecurity: "devices do not look for updates"
        case .errorReporting: "devices do not tell the service what went wrong"
        case .threatDetection: "the service neither raises alerts nor keeps suspects out"
        case .requestLimits: "answers may be of any length, and one caller may take all of a server's connections"
        case .nonces: "the verifier takes evidence whatever challenge it answers"
        case .networkFirewall: "every port of a device is open, the factory's console with its password among them"
        case .strongAlgorithms: "TLS 1.2 and 112-bit groups are accepted"
        case .authenticatedTime: "a device sets its clock by whatever time reply reaches it"
        case .stackProtection: "the vendor builds apps without the compiler's guard on the stack"
        case .memoryProtection: "the OS lets apps run data as code"
        case .appIsolation: "an app may use pins, buses, hosts and devices that its manifest does not list"
        }
    }

    /// The mitigations of MITRE EMB3D 2.0.1 that the control is an implementation of. Detection at the service is none: EMB3D speaks of what
    /// a device does.
    public var mitigations: [String] {
        switch self {
        case .hardwareRootOfTrust: ["MID-028"]
        case .secureBoot: ["MID-002"]
        case .glitchHardening: ["MID-063"]
        case .debugLock: ["MID-057"]
        case .certificateAuth, .mutualDeviceAuth, .authenticatedTime: ["MID-034"]
        case .attestationGate: ["MID-003"]
        // TLS is both: without it there are no certificates either.
        case .transportEncryption: ["MID-034", "MID-035"]
        case .signedUpdates, .renewableSecurity: ["MID-026"]
        // What has expired is refused as too old.
        case .updateFreshness: ["MID-026", "MID-037"]
        case .rollbackProtection: ["MID-030"]
        case .errorReporting: ["MID-085"]
        case .threatDetection: []
        case .requestLimits: ["MID-080"]
        case .nonces: ["MID-036"]
        case .networkFirewall: ["MID-083"]
        case .strongAlgorithms: ["MID-044"]
        case .stackProtection: ["MID-007"]
        case .memoryProtection: ["MID-004"]
        case .appIsolation: ["MID-012"]
        }
    }
}
