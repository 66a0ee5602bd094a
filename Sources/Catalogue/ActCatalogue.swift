/// Something that a step of a campaign can be, by its name.
public protocol ActDescription: Sendable {
    associatedtype Name: RawRepresentable<String> & Hashable & Sendable
    var name: Name { get }
}

extension AttackDescription: ActDescription {}
extension FaultDescription: ActDescription {}

/// Those of one sort that there are, in the order in which they are listed.
public struct ActList<Description: ActDescription>: Sendable {
    public let all: [Description]
    private let byName: [Description.Name: Description]

    public init(_ all: [Description]) {
        self.all = all
        byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public subscript(_ name: Description.Name) -> Description? { byName[name] }
    public subscript(_ name: String) -> Description? { Description.Name(rawValue: name).flatMap { byName[$0] } }
    public var names: [String] { all.map(\.name.rawValue) }
}

extension ActList<FaultDescription> {
    /// What a step is, if it is a fault.
    public subscript(_ step: Step) -> FaultDescription? {
        if case .fault(let name) = step.act { self[name] } else { nil }
    }
}

/// What a step of a campaign can be, beside updates and an operator's acts.
public struct ActCatalogue: Sendable {
    public let attacks: ActList<AttackDescription>
    public let faults: ActList<FaultDescription>
    public init(attacks: ActList<AttackDescription>, faults: ActList<FaultDescription>) { (self.attacks, self.faults) = (attacks, faults) }
}
