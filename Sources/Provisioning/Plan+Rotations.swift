import Catalogue
import Factory
import Planning
import Wire

/// What the keyholders of a plan do, and when.
extension Plan {
    func unixSeconds(at time: Instant) -> Int64 { epochSeconds + (time - .start).components.seconds }

    private var inOrder: [Step] { steps.enumerated().sorted { ($0.1.at, $0.0) < ($1.1.at, $1.0) }.map(\.1) }

    /// In the order in which they come.
    /// - Parameter owner: Nil for whoever has made the fleet.
    func rotations(of owner: Successor?) -> [Rotation] {
        inOrder.filter { successor(at: $0.at) == owner }.compactMap { step in
            let part: Rotation.Part? =
                switch step.act {
                case .operate(.rotateUpdateKeys): .updateKeys
                case .operate(.rotatePolicyAuthority): .policy
                case .operate(.rotateRoot): .root
                default: nil
                }
            return part.map { Rotation($0, unixSeconds: unixSeconds(at: step.at)) }
        }
    }

    /// How often the root of a step's owner has been rotated when it is over.
    func rootRotations(until step: Step) -> Int {
        let owned = inOrder.filter { successor(at: $0.at) == successor(at: step.at) && $0.act == .operate(.rotateRoot) }
        return owned.count { $0.at <= step.at }
    }

    /// The factory's trust store is 1, and each that devices get is one more.
    func trustVersion(of step: Step) -> Int { (inOrder.filter { $0.rollout != nil }.firstIndex { $0.id == step.id } ?? 0) + 2 }
}
