public import Catalogue
public import Fabric
public import Wire

/// What the injector is told. It holds no control: an attack cannot know which are on.
public struct ThreatConfiguration: Sendable, Equatable, Codable {
    public var setting: NodeSetting
    public var names: CatalogNames
    public var networks: [NetworkSpec]
    public var links: [[String]]
    public var nodes: [NodeSpec]
    public var steps: [Step]
    public var stop: Instant
    public var loot: Loot
    /// Streams are recorded as pcapng.
    public var capture: Bool
    /// What each device has used is told when its process is over.
    public var measuresUse: Bool
    /// Of whoever takes the fleet over in the course of the run.
    public var successorNames: CatalogNames?

    public init(
        setting: NodeSetting, names: CatalogNames, networks: [NetworkSpec], links: [[String]], nodes: [NodeSpec],
        steps: [Step], stop: Instant, loot: Loot, capture: Bool = false, measuresUse: Bool = false,
        successorNames: CatalogNames? = nil
    ) {
        self.setting = setting
        self.names = names
        self.networks = networks
        self.links = links
        self.nodes = nodes
        self.steps = steps
        self.stop = stop
        self.loot = loot
        self.capture = capture
        self.measuresUse = measuresUse
        self.successorNames = successorNames
    }
}
