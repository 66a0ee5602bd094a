import Formats

/// Something that code of an attacker's tries once it runs, and what shows that it got it.
public struct Layer: Sendable {
    public enum Proof: Sendable {
        /// The call gave no error.
        case success
        /// More than nothing came back.
        case more
        /// Exactly this.
        case value(UInt32)
    }

    public let name: String
    let slot: Int
    let proof: Proof

    /// - Parameter slot: Where its result stands among the results, from 0.
    public init(name: String, slot: Int, proof: Proof) { (self.name, self.slot, self.proof) = (name, slot, proof) }

    /// From the results that came back: nil if it was reached, else why not.
    public func refusal(_ results: [UInt8]) -> String? {
        guard let result = Bytes(results).u32(slot * 4), result != ReturnChain.untouched else { return "no effect" }
        let value = Int32(bitPattern: result)
        let isReached =
            switch proof {
            case .success: value >= 0
            case .more: value > 0
            case .value(let wanted): result == wanted
            }
        if isReached { return nil }
        return value < 0 ? Layer.words[-value] ?? "error \(-value)" : "no effect"
    }

    /// Of errno.h.
    private static let words: [Int32: String] = [
        1: "not permitted", 2: "not there", 9: "nothing open", 13: "access denied", 16: "busy", 22: "invalid", 38: "no such call",
        101: "unreachable",
    ]
}
