public import Wire

/// What one owner of a fleet tells the next of it: its devices, and what may be measured on them.
public struct Inventory: Sendable, Equatable, Codable {
    /// The node of whose service it is.
    public var from: String
    public var claims: [Claim]
    /// Devices of those, by name, that their operator has locked out, and since when in Unix seconds.
    public var lockedOut: [String: Int64]
    public var references: [ReferenceMeasurement]
    public init(from: String, claims: [Claim], lockedOut: [String: Int64], references: [ReferenceMeasurement]) {
        (self.from, self.claims, self.lockedOut, self.references) = (from, claims, lockedOut, references)
    }
}
