public import Catalogue
import Exchange
import Fabric
import Forgery
import SecureChannel
import Wire

extension AttackName { public static let escalation = AttackName("escalation") }

/// Goes one step on from a panel that a remote exploit has opened: to a system service's user, into the kernel's data, through
/// the security monitor to flash, or to the key that Pluton signs evidence with.
final class Escalation: Attack {
    static let description = AttackDescription(
        name: .escalation,
        summary: "goes on from a panel that is open to it: to a daemon, the kernel, the security monitor or Pluton",
        mechanism:
            "Through the same hole, one published weakness of the original's OS after another. to: daemon lays a link where crash dumps go and crashes with a line for the map of users on its stack, so that it is started again as the updater; to: kernel writes to the gone peer of a socket; to: monitor has it commit an image that nobody signed; to: pluton sends a request that is too long, and has it signed with the key for evidence.",
        needs: "a panel with a hole; an OS that has the weaknesses (os: in the topology), and what an earlier step obtained (uses:)",
        oracle: "the panel sends back who it is, what the monitor answered, or a signature that the key on the device's label verifies",
        techniques: ["T0890 Exploitation for Privilege Escalation"], threats: ["TID-204", "TID-219", "TID-327"],
        controls: [], rules: [.memoryCorruption],
        parameters: [Parameter("to", .word(["daemon", "kernel", "monitor", "pluton"]), isRequired: false)], app: "panel",
        requires: [.securityMonitor],
        judge: AttackJudge(countsMarks: false))

    private enum Stage: String { case daemon, kernel, monitor, pluton }
    private enum Purpose { case preparation, proof }

    private static let pause = Duration.seconds(20)

    private let id: String
    private let targets: [String]
    private let stage: Stage
    private var addresses: [(name: String, address: Address)] = []
    private var labels: [String: String] = [:]
    private var payloads: [(Purpose, PanelPayload)] = []
    private var proof: PanelPayload?
    private var link = PanelLink<Purpose>()
    private var findings = Findings()
    private(set) var nextWake: Instant?

    init(_ step: Step) {
        id = "escalation-\(step.id)"
        targets = step.nodes
        stage = step.word("to").flatMap(Stage.init(rawValue:)) ?? .daemon
    }

    func apply(_ arena: inout Arena) {
        guard let victim = targets.first, arena.attach(id, near: victim) != nil, let gadgets = arena.panelGadgets else { return }
        labels = arena.labels
        addresses = arena.addresses(of: targets)
        switch stage {
        case .daemon:
            let component = arena.loot.components["panel"] ?? ""
            payloads = [(.preparation, .crashIntoUserMap(gadgets, component: component)), (.proof, .asDaemon(gadgets))]
        case .kernel: payloads = [(.proof, .intoKernel(gadgets))]
        case .monitor: payloads = [(.proof, .throughMonitor(gadgets))]
        case .pluton: payloads = [(.proof, .intoPluton(gadgets))]
        }
        proof = payloads.last?.1
        nextWake = arena.fabric.now + .seconds(1)
    }

    func recover(_ arena: inout Arena) {
        nextWake = nil
        arena.detach(id)
    }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        if case .wake = event { advance(&out) }
        switch link.handle(event, &out) {
        case .answered(let attempt, let answer): judge(attempt.target, answer, attempt.connection, &out)
        case .silent(let attempt, let failure):
            if attempt.purpose == .proof { findings.tell(silence: layerName, of: attempt.target, failure, attempt.connection, &out) }
        case nil: break
        }
    }

    private var layerName: String { proof?.layers.first?.name ?? stage.rawValue }

    private func advance(_ out: inout Outbox) {
        nextWake = payloads.count > 1 ? out.now + Escalation.pause : nil
        guard !payloads.isEmpty else { return }
        let (purpose, payload) = payloads.removeFirst()
        for target in addresses { link.send(payload, purpose, to: target, &out) }
    }

    private func judge(_ target: String, _ answer: [UInt8], _ connection: Connection?, _ out: inout Outbox) {
        guard let layer = proof?.layers.first else { return }
        var refusal = layer.refusal(answer)
        // A signature proves itself, with what is printed on the device.
        if stage == .pluton, refusal == nil {
            let key = [UInt8](hex: labels[target] ?? "").flatMap { try? P256PublicKey($0) }
            let isOwn = key?.isValid(signature: Array(answer.suffix(64)), digest: PanelPayload.digest) ?? false
            if !isOwn { refusal = "signed by another key" }
        }
        findings.tell(layer.name, of: target, refusal: refusal.map { Failure(.kernelRefused, $0) }, connection, &out)
        findings.tell(success: target, refusal == nil ? [layer.name] : [], &out)
    }
}
