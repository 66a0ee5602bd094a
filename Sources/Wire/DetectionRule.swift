/// What the service concludes from its own records.
public enum DetectionRule: String, Sendable, Codable, CaseIterable {
    case evidenceRefused = "evidence-refused"
    case identityInTwoPlaces = "identity-in-two-places"
    case authenticationFailures = "authentication-failures"
    case imageRefused = "image-refused"
    case updateRefused = "update-refused"
    case timeRefused = "time-refused"
    case deniedConnections = "denied-connections"
    case networkScan = "network-scan"
    case requestRefused = "request-refused"
    case flood
    case crashCluster = "crash-cluster"
    case memoryCorruption = "memory-corruption"
    case silence

    /// MITRE ATT&CK for ICS 18.1.
    public var technique: String {
        switch self {
        case .evidenceRefused, .identityInTwoPlaces, .authenticationFailures: "T0849"
        case .imageRefused, .updateRefused: "T0857"
        case .timeRefused: "T0830"
        case .memoryCorruption, .requestRefused: "T0866"
        // An app that wants to go elsewhere: what speaks to a commander does.
        case .deniedConnections: "T0869"
        case .networkScan: "T0846"
        case .flood: "T0814"
        case .crashCluster: "T0816"
        case .silence: "T0804"
        }
    }
}
