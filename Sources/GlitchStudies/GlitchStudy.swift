public import Emulator
public import Judging
import Silicon

/// What one fault in a device's boot leads to, followed from the instruction that it hits to the fleet.
public struct GlitchStudy: Codable {
    /// Faults after which unsigned code ran and the same could be seen of it, and what the fleet made of one of them.
    public struct Consequence: Codable {
        var evidence: String
        /// The one that was followed.
        var example: Glitch
        var positions: Int
        var places: [String]
        /// The device came up.
        var started: Bool
        /// The service has taken its evidence.
        public var attested: Bool
        /// Why not, in the service's words.
        var reason: String
        /// Peers that have authenticated with it.
        var peers: Int

        /// - Parameters:
        ///   - trials: Faults that look alike; the first of them is the one that was followed.
        ///   - standing: What became of the device with that one.
        public init?(_ trials: [GlitchMap.Trial], _ standing: DeviceStanding) {
            guard let first = trials.first else { return nil }
            (evidence, example, positions, places) = (first.evidence, first.glitch, trials.count, Set(trials.map(\.place)).sorted())
            (started, attested, reason, peers) = (standing.started, standing.attested, standing.reason, standing.peers)
        }

        var verdict: String {
            if !started { return "does not come up" }
            if attested { return peers > 0 ? "NOBODY NOTICED: attested, and \(peers) peers trust it" : "NOBODY NOTICED: attested" }
            return "refused by attestation (\(reason))" + (peers > 0 ? ", but \(peers) peers trust it" : "; no peer trusts it")
        }
    }

    public struct Build: Codable {
        public var map: GlitchMap
        public var consequences: [Consequence]
        public init(map: GlitchMap, consequences: [Consequence]) { (self.map, self.consequences) = (map, consequences) }
    }

    var topology: String
    var device: String
    var model: String
    public var builds: [Build]

    public init(topology: String, device: String, model: String) {
        (self.topology, self.device, self.model) = (topology, device, model)
        builds = []
    }
}
