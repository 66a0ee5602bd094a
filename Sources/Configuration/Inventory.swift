public import Wire

/// What one owner of a fleet tells the next of it: its devices, and what may be measured on them.
public struct Inventory: Sendable, Equatable, Codable {
    /// The node of whose service it is.
    public var from: String
    public var claims: [Claim]
    public var references: [ReferenceMeasurement]
    public init(from: String, claims: [Claim], references: [ReferenceMeasurement]) {
        (self.from, self.claims, self.references) = (from, claims, references)
    }
}
