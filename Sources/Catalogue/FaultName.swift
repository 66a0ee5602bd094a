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
