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

/// Conditions that honest hardware or networks produce.
public enum FaultName: String, Sendable, Codable, CaseIterable {
    case latency, loss, bandwidth, partition
    case powerCut = "power-cut"
    case serviceKill = "service-kill"
    case reorder, duplicate
    case dnsOutage = "dns-outage"
    case serviceSlow = "service-slow"
    case deviceChurn = "device-churn"
    case clockJump = "clock-jump"
    case clockDrift = "clock-drift"
    case flashRot = "flash-rot"
    case diskFull = "disk-full"

    public var summary: String {
        switch self {
        case .latency: "adds one-way delay to the targets' links"
        case .loss: "loses a share of the packets on the targets' links"
        case .bandwidth: "limits the rate of the targets' links"
        case .partition: "cuts the targets off: a network from the others, a device from everybody"
        case .powerCut:
            "takes the power from devices at an instant, or in the middle of their n-th flash `operation` from then on, and gives it back after `for`"
        case .serviceKill: "kills the service process and starts it again after `for`"
        case .reorder: "lets a share of the datagrams arrive behind those sent after them"
        case .duplicate: "lets a share of the datagrams arrive twice"
        case .dnsOutage: "gives no answer to look-ups of names"
        case .serviceSlow: "lets the service answer later by `delay`"
        case .deviceChurn: "cuts the power of one of the targets every `every`, for a tenth of that"
        case .clockJump: "sets the targets' clocks `by` forward, or back with a minus"
        case .clockDrift: "lets the targets' clocks run fast by `ratio`"
        case .flashRot: "flips `bits` bits of the images in the targets' flash; the next start finds them"
        case .diskFull: "leaves the service no room to write"
        }
    }

    /// It is the service that is hit, so there is no target to name.
    public var hitsService: Bool { self == .serviceKill || self == .serviceSlow || self == .diskFull }
    /// It cannot go on until the end of the run.
    public var needsLength: Bool { self == .powerCut || self == .serviceKill || self == .deviceChurn }
    /// It is a condition of links, so networks can be its targets.
    public var isOfLinks: Bool {
        switch self {
        case .latency, .loss, .bandwidth, .partition, .reorder, .duplicate, .dnsOutage: true
        case .powerCut, .serviceKill, .serviceSlow, .deviceChurn, .clockJump, .clockDrift, .flashRot, .diskFull: false
        }
    }

    /// The parameters beside `at`, `target` and `for`.
    public var parameters: [Parameter] {
        switch self {
        case .latency, .serviceSlow: [Parameter("delay", .duration)]
        case .loss, .reorder, .duplicate, .clockDrift: [Parameter("ratio", .ratio)]
        case .deviceChurn: [Parameter("every", .duration)]
        case .clockJump: [Parameter("by", .offset)]
        case .bandwidth: [Parameter("rate", .rate)]
        case .flashRot: [Parameter("bits", .count)]
        case .powerCut: [Parameter("operation", .count, isRequired: false)]
        case .partition, .serviceKill, .dnsOutage, .diskFull: []
        }
    }
}

/// What a fault or an attack may be told beside its time and targets.
public struct Parameter: Sendable, Equatable {
    public var name: String
    public var kind: QuantityKind
    public var isRequired: Bool
    public init(_ name: String, _ kind: QuantityKind, isRequired: Bool = true) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
    }
}
