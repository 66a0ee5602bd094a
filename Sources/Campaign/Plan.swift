public import Wire

/// What a file means when nothing is left to guess: every device by name, every number with its unit in its
/// name. It is stored with each run, and is all that a replay needs.
public struct Plan: Sendable, Equatable, Codable {
    public struct Device: Sendable, Equatable, Codable {
        public var name: String
        /// The entry of the topology file that it comes from.
        public var kind: String
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
    }

    public var name: String
    public var file: String
    public var seed: UInt64
    public var clock: ClockKind
    /// Unix time at the start of the run.
    public var epochSeconds: Int64
    public var stop: Instant
    public var networks: [NetworkSpec]
    public var links: [[String]]
    public var catalog: String
    public var serviceNetwork: String
    public var serviceAddress: Address
    public var devices: [Device]
    public var controlsOff: [Control]
    public var steps: [Step]
    public var expectations: [Expectation]
    public var keepsKeyLog: Bool
    public var capture: Bool

    public var names: CatalogNames { CatalogNames(catalog: catalog) }

    /// Without a date in the file, runs begin on 1 January 2026, 00:00 UTC.
    public static let defaultEpochSeconds: Int64 = 1_767_225_600
}

/// Something that must hold, judged from the journal.
public struct Expectation: Sendable, Equatable, Codable {
    public enum Claim: Sendable, Equatable, Codable {
        /// Each of the devices holds certificates after attestation.
        case attested(devices: [String])
        /// Each device of the first list has authenticated mutually with a device of the second, where it calls any.
        case mutuallyAuthenticated(from: [String], to: [String])
        /// The step's attack ends with this verdict.
        case verdict(step: String, Verdict.Outcome)
        /// The devices' exchanges succeed at least so often, 0…1.
        case availability(devices: [String], ratio: Double)
    }

    public var claim: Claim
    public var withinNanoseconds: Int64?
    /// As the file says it, for the report.
    public var text: String
}
