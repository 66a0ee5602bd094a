import Catalogue
import Factory
import Planning
import Wire

/// What the keyholders of a plan do, and when.
extension Plan {
    func unixSeconds(at time: Instant) -> Int64 { epochSeconds + (time - .start).components.seconds }

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
}
