import Wire

/// Two devices in one home: the ground on which journals made by hand are judged.
enum TwoFridges {
    /// - Parameter method: Steps, a line each, and what stands before them.
    static func topology(_ method: String) -> String {
        """
        name: t
        stop: 2h
        networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:
          fridge: { count: 2, network: home }

        """ + method
    }

    /// What a node says at a minute of the run.
    static func fact(_ minutes: Int64, _ node: String, _ fact: Fact) -> Observation {
        Observation(at: .start + .minutes(minutes), node: node, sequence: UInt64(minutes), fact: fact)
    }
}
