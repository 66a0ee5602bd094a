import ArgumentParser
import Wire

struct Attacks: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What attacks there are.")
    func run() {
        for attack in AttackName.allCases {
            print(
                """
                \(attack.rawValue): \(attack.summary)
                    needs       \(attack.needs)
                    succeeds if \(attack.oracle)
                    represents  \(attack.techniques)

                """)
        }
    }
}

struct Faults: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What faults there are.")
    func run() {
        for fault in FaultName.allCases {
            let parameters = fault.parameters.map { " \($0.name): <\($0.kind.rawValue)>" }.joined(separator: ",")
            print("\(fault.rawValue)\(parameters)\n    \(fault.summary)")
        }
    }
}

struct Controls: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "What protections can be switched off.")
    func run() { for control in Control.allCases { print("\(control.rawValue) (\(control.mitigation))\n    off: \(control.whenOff)") } }
}
