public import Wire

/// What has become of a device by the end of a run: whether it came up, and who trusts it.
public struct DeviceStanding: Sendable, Equatable {
    public var started: Bool
    /// The service has taken its evidence.
    public var attested: Bool
    /// Why not, in the service's words.
    public var reason: String
    /// Peers that have authenticated with it.
    public var peers: Int

    public init(of device: String, journal: ObservationLog, names: CatalogNames) {
        let own = journal.filter { $0.node == device }
        let host = names.host(device)
        // Clients name whom they talk to: the others that reach this device, and those that it reaches.
        let peers = Set(
            journal.compactMap { observation -> String? in
                let fact = observation.fact
                guard fact.kind == .handshake, fact.text(.pair) == "device-device", fact.text(.role) == "client",
                    fact.text(.result) == "accepted"
                else { return nil }
                if observation.node == device { return fact.text(.peer) }
                return fact.text(.peer) == host ? names.host(observation.node) : nil
            })
        let appraisals = journal.filter { $0.fact.kind == .evidenceAppraised && $0.fact.text(.device) == device }
        started = own.contains { $0.fact.kind == .osReady }
        attested = own.contains { $0.fact.kind == .attestation && $0.fact.text(.result) == "accepted" }
        reason = appraisals.compactMap { $0.fact.text(.reason) }.first ?? ""
        self.peers = peers.count
    }
}
