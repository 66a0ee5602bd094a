public import Catalogue
import Wire
import Yams

extension Plan {
    /// Reads a topology or a campaign, with steps of the attacks that there are.
    /// - Parameters:
    ///   - kind: Of which all devices are to be, whatever the file says. What that kind lacks is refused as if the file had said it.
    ///   - load: Gives the text of a file, or nil if there is none; a campaign names its topology relative to itself.
    public static func read(
        file: String, catalogue: ActCatalogue, kind: DeviceKind? = nil, load: (String) -> String?
    ) throws(PlanProblems) -> Plan {
        guard let text = load(file) else {
            throw PlanProblems(problems: [Problem(file: file, line: 1, column: 1, message: "cannot read the file")])
        }
        let document = Document(file: file, text: text)
        var reader = PlanReader(document: document, catalogue: catalogue, kind: kind)
        var problems: [Problem] = []
        if let root = document.root {
            if root.mapping?["topology"] != nil {
                problems = reader.readCampaign(root, load: load)
            } else if let section = document.section(root, "the topology", keys: PlanReader.topologyKeys) {
                reader.readTopology(section)
                reader.readMethod(section)
                reader.readExpectations(section)
                reader.readSteadyState(section)
            }
        }
        problems += document.problems
        guard problems.isEmpty else { throw PlanProblems(problems: problems) }
        if let clash = reader.plan.nameOfAttacker { throw PlanProblems(file: file, clash) }
        return reader.plan
    }
}

extension Plan {
    /// The same, with the name of a kind; one that is not known is as if there were none.
    public static func read(
        file: String, catalogue: ActCatalogue, kindNamed name: String?, load: (String) -> String?
    ) throws(PlanProblems) -> Plan {
        try read(file: file, catalogue: catalogue, kind: name.flatMap { DeviceKind(rawValue: $0) }, load: load)
    }
}

public struct PlanProblems: Error, Equatable, Sendable {
    public var problems: [Problem]
    public init(problems: [Problem]) { self.problems = problems }
    /// Of a file as a whole.
    public init(file: String, _ message: String) { problems = [Problem(file: file, line: 1, column: 1, message: message)] }
}

extension PlanReader {
    static let campaignKeys = ["name", "topology", "seed", "stop", "controls-off", "steady-state", "method", "expect", "measure"]

    mutating func readCampaign(_ root: YAMLNode, load: (String) -> String?) -> [Problem] {
        guard let section = document.section(root, "the campaign", keys: PlanReader.campaignKeys),
            let field = section.required("topology"), let relative = field.scalar?.string
        else { return [] }
        let path = document.path(relative)
        guard let text = load(path) else {
            document.report(field, "topology: cannot read '\(path)'")
            return []
        }
        let topology = Document(file: path, text: text)
        var base = PlanReader(document: topology, catalogue: catalogue, kind: kind)
        base.destinations = destinations
        if let root = topology.root, let section = topology.section(root, "the topology", keys: PlanReader.topologyKeys) {
            base.readTopology(section)
        }
        plan = base.plan
        plan.file = document.file
        readHead(section)
        readMethod(section)
        readExpectations(section)
        readSteadyState(section)
        return topology.problems
    }
}
