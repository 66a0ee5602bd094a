import Catalogue
import Planning
public import Wire

/// Who of a fleet is there when a run ends, who is not, and what would have helped.
public struct FleetEnd: Sendable, Equatable, Codable {
    public enum State: String, Sendable, Codable {
        case there
        /// It has no power.
        case off
        case lockedOut = "locked out"
        case bricked
        /// It has power, and no way to its service.
        case lost
    }

    public enum Cause: String, Sendable, Codable {
        case missedHandOver = "missed-hand-over"
        case clock
        /// No root that the device trusts stands behind the service.
        case untrustedService = "untrusted-service"
        case unreachable
        /// The service will not have it.
        case refused
        /// It has not said why.
        case silent
    }

    public struct Device: Sendable, Equatable, Codable {
        public var name: String
        public var state: State
        /// When it was there for the last time; nil if it never was.
        public var last: Instant?
        /// Of one that is lost.
        public var cause: Cause?
        /// What it met last, in words.
        public var reason: String
        /// What would have helped, and what helps now.
        public var remedy: String
    }

    public var devices: [Device]
    public var present: Int { devices.count { $0.state == .there } }
    public var absent: [Device] { devices.filter { $0.state != .there } }

    /// What the journal has of one device.
    private struct Trail {
        var last: Instant?
        var failure: Fact?
        var hasPower = true
        /// It had answers while the fleet was handed over.
        var wasThere = false
    }

    /// - Parameter rollout: How the hand-over's ended, in words.
    init(_ plan: Plan, _ truth: GroundTruth, bricked: [String], lockedOut: [String], rollout: String) {
        let handOver = plan.handOver
        var trails = Dictionary(plan.devices.map { ($0.name, Trail()) }, uniquingKeysWith: { first, _ in first })
        for observation in truth.journal {
            let fact = observation.fact
            switch fact.kind {
            case .exchange where fact.text(.operation) != "peer", .attestation:
                if fact.text(.result) == "accepted" {
                    trails[observation.node]?.last = observation.at
                    trails[observation.node]?.failure = nil
                    if let handOver, observation.at >= handOver.at, observation.at < handOver.end {
                        trails[observation.node]?.wasThere = true
                    }
                } else {
                    trails[observation.node]?.failure = fact
                }
            case .powerLost: trails[observation.node]?.hasPower = false
            case .osReady: trails[observation.node]?.hasPower = true
            case .processKilled, .processLost: trails[fact.text(.name) ?? ""]?.hasPower = false
            case .processStarted: trails[fact.text(.name) ?? ""]?.hasPower = true
            default: break
            }
        }
        let end = truth.end
        devices = plan.devices.map { device in
            let trail = trails[device.name] ?? Trail()
            var found = Device(name: device.name, state: .there, last: trail.last, cause: nil, reason: "", remedy: "")
            // Four times the time after which it wants to be heard, as the service's own rule of silence has it.
            let patience = max(.hours(2), Duration.nanoseconds(device.telemetryEveryNanoseconds ?? 0) * 4)
            if bricked.contains(device.name) {
                found.state = .bricked
            } else if !trail.hasPower {
                found.state = .off
            } else if lockedOut.contains(device.name) {
                found.state = .lockedOut
            } else if trail.last.map({ end - $0 > patience }) ?? (end - .start > patience) {
                found.state = .lost
                let isOver = handOver.map { $0.end <= end } ?? false
                let why = trail.wasThere ? "its turn had not come: \(rollout)" : "it was not there"
                let missed = isOver && !truth.isHeirs(device.name) ? why : nil
                found.explain(device, trail.failure, missed, wasThere: trail.wasThere, plan)
            }
            return found
        }
    }
}

extension FleetEnd.Device {
    /// - Parameter missed: Why it missed the hand-over, in words; nil if it did not.
    fileprivate mutating func explain(_ device: Plan.Device, _ failure: Fact?, _ missed: String?, wasThere: Bool, _ plan: Plan) {
        reason = failure?.text(.reason) ?? failure?.text(.code) ?? ""
        let cable =
            device.kind.missing([.recoveryCable])
            .map { "now nothing does: a device of kind \(device.kind.rawValue) has no \($0)" }
            ?? "now a technician with a cable does (operator: recover)"
        if let missed, let handOver = plan.handOver, let successor = plan.successor {
            cause = .missedHandOver
            let (from, to) = (readable(handOver.at - .start), readable(handOver.end - .start))
            reason = "missed the hand-over to \(successor.catalog), \(from) to \(to) after the run's start: \(missed)"
            let help =
                wasThere
                ? "a rollout that goes on without those that are away (threshold), or a longer overlap"
                : "power and a network for a few checks in that time"
            remedy = "\(help) would have helped; \(cable)"
            return
        }
        let code = failure?.text(.code).flatMap(Code.init(rawValue:))
        switch code {
        case nil:
            cause = .silent
            remedy = "an OS that starts"
        case let code? where code.isByClock || code == .timeUnproven:
            cause = .clock
            remedy = "the service, reached on its port in clear, sets any clock right"
        case .certificateRefused?:
            cause = .untrustedService
            remedy = "a trust store with the service's root, while the root before it was good, would have helped; \(cable)"
        case let code? where code.isOfNetworks:
            cause = .unreachable
            remedy = "a way to the service"
        default:
            cause = .refused
            remedy = code == .evidenceRejected ? "a release that the verifier knows; \(cable)" : "its operator"
        }
    }
}
