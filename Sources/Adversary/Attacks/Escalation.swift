import Fabric
import Formats
import SecureChannel
import Wire

/// Goes one step on from a panel that a remote exploit has opened: to a system service's user, into the kernel's data, through
/// the security monitor to flash, or to the key that Pluton signs evidence with.
final class Escalation: Attack {
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
        case .answered(let attempt, let answer): judge(attempt.target, answer, &out)
        case .silent(let attempt):
            if attempt.purpose == .proof { findings.tell(layerName, of: attempt.target, refusal: "the app ended", &out) }
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

    private func judge(_ target: String, _ answer: [UInt8], _ out: inout Outbox) {
        guard let layer = proof?.layers.first else { return }
        var refusal = layer.refusal(answer)
        // A signature proves itself, with what is printed on the device.
        if stage == .pluton, refusal == nil {
            let key = [UInt8](hex: labels[target] ?? "").flatMap { try? P256PublicKey($0) }
            let isOwn = key?.isValid(signature: Array(answer.suffix(64)), digest: PanelPayload.digest) ?? false
            if !isOwn { refusal = "signed by another key" }
        }
        findings.tell(layer.name, of: target, refusal: refusal, &out)
        findings.tell(success: target, refusal == nil ? [layer.name] : [], &out)
    }
}
