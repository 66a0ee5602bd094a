/// Who does or says something, and its place among things of one instant.
///
/// Typed, since the names of nodes are free: one called `network` or `7` is a node still.
public enum Origin: Hashable, Comparable, Sendable {
    /// Steps of the plan, before anything that nodes do at that instant.
    case plan
    case network
    /// An attack, by its step.
    case step(Int)
    case node(String)

    /// In journal and deliveries.
    public var name: String {
        switch self {
        case .plan: "plan"
        case .network: "network"
        case .step(let index): String(index)
        case .node(let name): name
        }
    }
}
