public import Catalogue
public import Configuration
public import Fabric
public import Wire

/// What a file means when nothing is left to guess: every device by name, every number with its unit in its
/// name. It is stored with each run, and is all that a replay needs.
public struct Plan: Sendable, Equatable, Codable {
    public struct Device: Sendable, Equatable, Codable {
        public var name: String
        /// The entry of the topology file that it comes from.
        public var entry: String
        public var kind: DeviceKind
        public var product: String
        public var group: String
        public var network: String
        public var address: Address
        public var apps: [String]
        /// Products that it talks to and serves.
        public var allowedProducts: [String]
        /// Devices that it calls.
        public var calls: [String]
        public var callEveryNanoseconds: Int64
        public var updateEveryNanoseconds: Int64
        public var deferUpdatesNanoseconds: Int64
        /// Words that steps may aim at.
        public var labels: [String]
        /// What is on the pins of its real-time cores, such as `led@gpio8`.
        public var attachments: [String]
        /// What each high-level app may have; nil for as much as on the original.
        public var appMemoryKiB: Int?
        /// Under which others find it beside its own name; nil for none.
        public var names: [String]?
        /// What DNS tells of its services; nil for nothing.
        public var services: [AdvertisedService]?
        /// How often it tells the service that it is there; nil for each hour.
        public var telemetryEveryNanoseconds: Int64?
    }

    /// As boot code is often written, or so that one fault is not enough.
    public enum BootCode: String, Sendable, Codable, CaseIterable { case plain, hardened }

    /// What somebody has done to a device on the bench before it gets power: an implant lies in place of the primary copy of 1BL.
    public struct BenchWork: Sendable, Equatable, Codable {
        public var device: String
        /// A fault while it boots, such as `1234:skip`.
        public var glitch: String?
        public init(device: String, glitch: String?) {
            self.device = device
            self.glitch = glitch
        }
    }

    /// An app that the file brings along: an image package, or a program with its manifest. Paths are found from where
    /// `orrery` runs.
    public struct App: Sendable, Equatable, Codable {
        public var image: String?
        public var program: String?
        public var manifest: String?
    }

    public struct Gateway: Sendable, Equatable, Codable {
        public var name: String
        public var network: String
        public var address: Address
        public var doors: [GatewayConfiguration.Door]
        public var exits: [GatewayConfiguration.Exit]
        /// Under which devices find it beside its own name, such as `*.example.com`; nil for none.
        public var names: [String]?
        /// What DNS tells of its services; nil for nothing.
        public var services: [AdvertisedService]?
    }

    public var schema = Schema.plan
    public var provenance: Provenance?
    public var name: String
    public var file: String
    /// All files that it was read from.
    public var sources: [String] = []
    public var seed: UInt64
    public var clock: ClockKind
    /// Unix time at the start of the run.
    public var epochSeconds: Int64
    public var stop: Instant
    public var networks: [NetworkSpec]
    public var links: [[String]]
    public var catalog: String
    /// Programs that enrol with a secret at the service, by their names.
    public var clients: [String: String] = [:]
    public var serviceNetwork: String
    public var serviceAddress: Address
    /// Whom the fleet is handed over to; nil for nobody.
    public var successor: Successor?
    /// The OS release that devices leave the factory with, such as `26.11`.
    public var osVersion: String
    public var devices: [Device]
    /// By the names that devices use; others come with the testbed.
    public var apps: [String: App]
    /// Settings of device groups that have other ones than usual.
    public var groups: [String: GroupSettings]
    /// Doors to real programs, open on the wall clock only.
    public var gateways: [Gateway]
    public var controlsOff: [Control]
    public var steps: [Step]
    public var expectations: [Expectation]
    public var keepsKeyLog: Bool
    public var capture: Bool
    public var benchWork: BenchWork?
    /// Of which all devices are, whatever the file says; nil for what it says.
    public var kind: DeviceKind?
    /// Whether the journal is to tell what each device has used of time, bytes and flash; nil for not. Not on the wall clock.
    public var measuresUse: Bool?

    /// Which build of boot code the devices' chips are made with.
    public var bootCode: BootCode { controlsOff.contains(.glitchHardening) ? .plain : .hardened }

    public func settings(of group: String) -> GroupSettings { groups[group] ?? GroupSettings() }

    public var names: CatalogNames { CatalogNames(catalog: catalog) }

    /// The same plan gives the same journal.
    public var isReproducible: Bool { clock == .virtual }

    public static let defaultOSVersion = "26.11"

    /// Whether a text names a release of the OS by its year and month, such as `20.06`.
    public static func isRelease(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && UInt8($0) != nil }), let month = UInt8(parts[1]) else {
            return false
        }
        return (1...12).contains(month)
    }

    /// Without a date in the file, runs begin on 1 January 2026, 00:00 UTC.
    public static let defaultEpochSeconds: Int64 = 1_767_225_600
}

extension Plan {
    /// What would be done when, and what must hold, for somebody who asks before.
    public var schedule: String {
        var lines = ["\(name): \(devices.count) devices, \(readable(stop - .start)), seed \(seed)"]
        if !controlsOff.isEmpty { lines.append("Controls off: \(controlsOff.map(\.rawValue).joined(separator: ", "))") }
        for step in steps.sorted(by: { ($0.at, $0.id) < ($1.at, $1.id) }) {
            let length = step.duration.map { " for \(readable($0))" } ?? ""
            let targets = step.aim
            lines.append(
                "  \(readable(step.at - .start).left(7))  \(step.id.padded(4)) \(step.act.name)\(length)\(targets.isEmpty ? "" : ": \(targets)")"
            )
        }
        lines += expectations.map { "  expect   \($0.text)" }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// Something that must hold, judged from the journal.
public struct Expectation: Sendable, Equatable, Codable {
    public enum Claim: Sendable, Equatable, Codable {
        /// Each of the devices holds certificates after attestation.
        case attested(devices: [String])
        /// Each device of the first list has authenticated mutually with a device of the second, where it calls any.
        case mutuallyAuthenticated(from: [String], to: [String])
        /// The step's attack ends with this verdict.
        case verdict(step: String, AttackOutcome)
        /// The devices' exchanges succeed at least so often, 0…1.
        case availability(devices: [String], ratio: Double)
        /// At least so many of the devices run the step's release, 0…1.
        case installed(step: String, devices: [String], ratio: Double)
        /// At most so many of the devices do not come up any more.
        case bricked(devices: [String], limit: Int)
        /// The step's rollout ends like this.
        case rollout(step: String, RolloutState)
        /// The step's attack is noticed by the service.
        case detected(step: String)
        /// At most so many alerts have no attack behind them.
        case falseAlarms(limit: Int)
    }

    /// A stretch of the run.
    public struct Window: Sendable, Equatable, Codable {
        public var from: Instant
        public var to: Instant
        public init(from: Instant, to: Instant) { (self.from, self.to) = (from, to) }
    }

    public var claim: Claim
    public var withinNanoseconds: Int64?
    /// Only what happens in it counts; nil for the whole run.
    public var window: Window?
    /// As the file says it, for the report.
    public var text: String
}
