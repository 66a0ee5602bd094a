import ArgumentParser
import Campaign
import Wire

struct Attacks: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What attacks there are, or one of them in full.")

    @Argument(help: "One attack.") var name: String?

    func run() throws {
        guard let name else {
            for attack in AttackName.allCases { print("\(attack.rawValue)\n    \(attack.entry.summary)") }
            return
        }
        guard let attack = AttackName(rawValue: name) else {
            let known = AttackName.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("unknown attack '\(name)'; there are \(known)")
        }
        print(
            """
            \(attack.rawValue): \(attack.entry.summary)

              \(attack.entry.mechanism)

              needs        \(attack.entry.needs)
              succeeds if  \(attack.entry.oracle)
              stopped by   \(attack.entry.controls.map(\.rawValue).joined(separator: ", "))
              noticed by   \(attack.entry.rules.isEmpty ? "nobody" : attack.entry.rules.map(\.rawValue).joined(separator: ", "))
              represents   \(attack.entry.techniques)
              parameters   \(attack.parameters.isEmpty ? "none" : attack.parameters.map { "\($0.name): \($0.kind.name)" }.joined(separator: ", "))
              run it       orrery run Topologies/attacks/\(attack.rawValue).yaml
              as a step    - { at: 10m, for: 1h, attack: \(attack.rawValue), target: { devices: all } }
            """)
    }
}

struct Faults: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What faults there are.")
    func run() {
        for fault in FaultName.allCases {
            let parameters = fault.parameters.map { " \($0.name): <\($0.kind.name)>" }.joined(separator: ",")
            print("\(fault.rawValue)\(parameters)\n    \(fault.summary)")
        }
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
