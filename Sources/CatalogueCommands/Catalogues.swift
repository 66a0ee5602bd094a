import ArgumentParser
import Catalogue
import Injector
import Wire

struct AttacksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "attacks", abstract: "What attacks there are, or one of them in full.")

    @Argument(help: "One attack.") var name: String?

    func run() throws {
        guard let name else {
            for attack in Injector.catalogue.attacks.all { print("\(attack.name)\n    \(attack.summary)") }
            return
        }
        guard let attack = Injector.catalogue.attacks[name] else {
            throw ValidationError("unknown attack '\(name)'; there are \(Injector.catalogue.attacks.names.joined(separator: ", "))")
        }
        print(
            """
            \(attack.name): \(attack.summary)

              \(attack.mechanism)

              needs        \(attack.needs)
              succeeds if  \(attack.oracle)
              stopped by   \(attack.controls.map(\.rawValue).joined(separator: ", "))
              noticed by   \(attack.rules.isEmpty ? "nobody" : attack.rules.map(\.rawValue).joined(separator: ", "))
              represents   \((attack.techniques + attack.threats.map { "EMB3D \($0)" }).joined(separator: "; "))
              parameters   \(attack.parameters.isEmpty ? "none" : attack.parameters.map { "\($0.name): \($0.kind.name)" }.joined(separator: ", "))
              run it       orrery run Topologies/attacks/\(attack.name).yaml
              as a step    - { at: 10m, for: 1h, attack: \(attack.name), target: { devices: all } }
            """)
    }
}

struct Faults: ParsableCommand {
    private static let always = """

        A parameter in brackets need not be there. Every fault has a time (`at`), and may have a length (`for`) and more:
        \(FaultDescription.direction.name): <\(FaultDescription.direction.kind.name)>, \(FaultDescription.otherSide): <service|target>
            of faults of links: only what goes to the other side, comes from it, or both; without an other side that is everybody else
        every: <duration>, times: <count>
            the same again, so often in all; each is a step of its own: s3-1, s3-2 …
        window: <duration>
            at a time that the seed says, no more than so much after `at`
        """

    static let configuration = CommandConfiguration(abstract: "What faults there are.")
    func run() {
        for fault in Injector.catalogue.faults.all {
            let parameters = fault.parameters.map { parameter in
                let text = "\(parameter.name): <\(parameter.kind.name)>"
                return parameter.isRequired ? " \(text)" : " [\(text)]"
            }.joined(separator: ",")
            print("\(fault.name)\(parameters)\n    \(fault.summary)")
        }
        print(Faults.always)
    }
}

struct Controls: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What protections can be switched off.")
    func run() {
        for control in Control.allCases {
            let mitigations = control.mitigations.map { "\($0) \(EMB3D.name(of: $0) ?? "")" }.joined(separator: ", ")
            print("\(control.rawValue)\n    off: \(control.whenOff)")
            print("    MITRE EMB3D \(EMB3D.version): \(mitigations.isEmpty ? "none of its mitigations" : mitigations)")
        }
    }
}
