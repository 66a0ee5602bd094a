/// The protections that a plan can switch off (DESIGN §9), as far as the system has them by now.
public enum Control: String, Sendable, Codable, CaseIterable {
    /// Off: device keys lie in flash, not in fuses behind Pluton.
    case hardwareRootOfTrust = "hardware-root-of-trust"
    /// Off: the boot chain starts images without a look at their signatures.
    case secureBoot = "secure-boot"
    /// Off: nobody checks certificates; a secret shared by the fleet proves identity.
    case certificateAuth = "certificate-auth"
    /// Off: a device serves peers that show no certificate.
    case mutualDeviceAuth = "mutual-d2d-auth"
    /// Off: the service issues certificates without a look at the evidence.
    case attestationGate = "attestation-gate"
    /// Off: nodes speak plain HTTP, so certificates play no part either.
    case transportEncryption = "transport-encryption"

    /// What switching it off means, for `orrery controls`.
    public var whenOff: String {
        switch self {
        case .hardwareRootOfTrust: "device keys lie in flash, not in fuses behind Pluton"
        case .secureBoot: "the boot chain starts images without checking signatures"
        case .certificateAuth: "certificates are not checked; a secret shared by the fleet proves identity"
        case .mutualDeviceAuth: "a device serves peers that show no certificate"
        case .attestationGate: "the service issues certificates without appraising evidence"
        case .transportEncryption: "nodes speak plain HTTP, so certificates play no part either"
        }
    }

    /// The MITRE EMB3D 2.0.1 mitigation that the control stands for.
    public var mitigation: String {
        switch self {
        case .hardwareRootOfTrust: "MID-029"
        case .secureBoot: "MID-002"
        case .certificateAuth, .mutualDeviceAuth: "MID-034"
        case .attestationGate: "MID-003"
        case .transportEncryption: "MID-035"
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

    public var summary: String {
        switch self {
        case .latency: "adds one-way delay to the targets' links"
        case .loss: "loses a share of the packets on the targets' links"
        case .bandwidth: "limits the rate of the targets' links"
        case .partition: "cuts the targets off: a network from the others, a device from everybody"
        case .powerCut: "takes the power from devices at an instant and gives it back after `for`"
        case .serviceKill: "kills the service process and starts it again after `for`"
        case .reorder: "lets a share of the datagrams arrive behind those sent after them"
        case .duplicate: "lets a share of the datagrams arrive twice"
        case .dnsOutage: "gives no answer to look-ups of names"
        case .serviceSlow: "lets the service answer later by `delay`"
        case .deviceChurn: "cuts the power of one of the targets every `every`, for a tenth of that"
        case .clockJump: "sets the targets' clocks `by` forward, or back with a minus"
        case .clockDrift: "lets the targets' clocks run fast by `ratio`"
        }
    }

    /// It is the service that is hit, so there is no target to name.
    public var hitsService: Bool { self == .serviceKill || self == .serviceSlow }
    /// It cannot go on until the end of the run.
    public var needsLength: Bool { self == .powerCut || self == .serviceKill || self == .deviceChurn }
    /// It is a condition of links, so networks can be its targets.
    public var isOfLinks: Bool {
        switch self {
        case .latency, .loss, .bandwidth, .partition, .reorder, .duplicate, .dnsOutage: true
        case .powerCut, .serviceKill, .serviceSlow, .deviceChurn, .clockJump, .clockDrift: false
        }
    }

    /// The parameters beside `at`, `target` and `for`: name, kind and whether it must be there.
    public var parameters: [(name: String, kind: QuantityKind)] {
        switch self {
        case .latency: [("delay", .duration)]
        case .loss, .reorder, .duplicate, .clockDrift: [("ratio", .ratio)]
        case .serviceSlow: [("delay", .duration)]
        case .deviceChurn: [("every", .duration)]
        case .clockJump: [("by", .offset)]
        case .bandwidth: [("rate", .rate)]
        case .partition, .powerCut, .serviceKill, .dnsOutage: []
        }
    }
}

/// Deliberate acts of an adversary.
public enum AttackName: String, Sendable, Codable, CaseIterable {
    case tlsInterception = "tls-interception"
    case recordTamper = "record-tamper"
    case rogueDevice = "rogue-device"
    case clonedDevice = "cloned-device"
    case dnsSpoof = "dns-spoof"
    case recordReplay = "record-replay"
}

public enum QuantityKind: String, Sendable, Codable {
    case duration, ratio, rate, count
    /// A time that may be negative.
    case offset
}

/// A number with its unit, as it stands in a campaign file.
public enum Quantity: Sendable, Equatable, Codable {
    case nanoseconds(Int64)
    case ratio(Double)
    case bitsPerSecond(Int64)
    case count(Int64)
}

/// One timed entry of a campaign's method, with its targets resolved to nodes.
public struct Step: Sendable, Equatable, Codable {
    public enum Act: Sendable, Equatable, Codable {
        case fault(FaultName)
        case attack(AttackName)

        public var name: String {
            switch self {
            case .fault(let name): name.rawValue
            case .attack(let name): name.rawValue
            }
        }
    }

    public var id: String
    public var at: Instant
    public var act: Act
    /// Node names in the order of the plan; empty if the step aims at networks.
    public var nodes: [String]
    public var networks: [String]
    public var length: Int64?
    public var parameters: [String: Quantity]

    public init(
        id: String, at: Instant, act: Act, nodes: [String], networks: [String],
        lengthNanoseconds: Int64?, parameters: [String: Quantity]
    ) {
        self.id = id
        self.at = at
        self.act = act
        self.nodes = nodes
        self.networks = networks
        length = lengthNanoseconds
        self.parameters = parameters
    }

    public var duration: Duration? { length.map { .nanoseconds($0) } }

    public func duration(_ name: String) -> Duration? {
        if case .nanoseconds(let n)? = parameters[name] { .nanoseconds(n) } else { nil }
    }
    public func ratio(_ name: String) -> Double? {
        if case .ratio(let r)? = parameters[name] { r } else { nil }
    }
    public func bitsPerSecond(_ name: String) -> Int64? {
        if case .bitsPerSecond(let r)? = parameters[name] { r } else { nil }
    }
}

extension AttackName {
    public var summary: String {
        switch self {
        case .tlsInterception: "answers in place of whoever the targets call, with a forged certificate, and reads along"
        case .recordTamper: "changes bytes of what the targets send, in flight"
        case .rogueDevice: "a device that nobody made asks for a certificate in the targets' names and calls them"
        case .clonedDevice: "runs a copy of the targets' flash in other silicon"
        case .dnsSpoof: "answers the targets' look-ups with its own address, where it waits with a forged certificate"
        case .recordReplay: "records what the targets say to the service and says it again"
        }
    }

    /// What the adversary must have.
    public var needs: String {
        switch self {
        case .tlsInterception: "a position on the targets' network; names of those that they call"
        case .recordTamper: "a position on the targets' path"
        case .rogueDevice: "a place on the targets' network; their device IDs, which their labels show; a secret from a device taken apart"
        case .clonedDevice: "the targets' flash chips for the time of a copy; chips of the same kind"
        case .dnsSpoof: "the targets' resolver, or a place from which to answer before it"
        case .recordReplay: "a position on the targets' path; a place from which to reach the service"
        }
    }

    /// The observation that proves success.
    public var oracle: String {
        switch self {
        case .tlsInterception: "the interceptor holds plaintext that a target sent"
        case .recordTamper: "a request that was changed on the way is answered with success"
        case .rogueDevice: "the service gives an attestation result in a target's name, or a target answers"
        case .clonedDevice: "the service or a peer accepts an exchange from the copy"
        case .dnsSpoof: "the false callee holds plaintext that a target sent"
        case .recordReplay: "the service answers a recorded request with success"
        }
    }

    /// What it represents: MITRE ATT&CK for ICS 18.1 and EMB3D 2.0.1.
    public var techniques: String {
        switch self {
        case .tlsInterception: "ATT&CK ICS T0830 Adversary-in-the-Middle; EMB3D TID-316"
        case .recordTamper: "ATT&CK ICS T0832 Manipulation of View; EMB3D TID-408"
        case .rogueDevice: "ATT&CK ICS T0849 Masquerading; EMB3D TID-310, TID-406"
        case .clonedDevice: "ATT&CK ICS T0849 Masquerading; EMB3D TID-214"
        case .dnsSpoof: "ATT&CK ICS T0830 Adversary-in-the-Middle; EMB3D TID-316"
        case .recordReplay: "ATT&CK ICS T0855 Unauthorized Command Message; EMB3D TID-221, TID-407"
        }
    }
}
