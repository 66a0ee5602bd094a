import Adversary
import Campaign
import DeviceOS
import Foundation
import SecurityService
import Testing
import Wire

@testable import Coordinator

/// A whole fleet in one process: the injector, the service and all devices as values, driven by hand.
///
/// Randomness is the system's, since tests run side by side: what a test asserts must hold for any draws.
final class Fleet {
    private enum Process {
        case device(NodeRunner<Device>)
        case service(NodeRunner<SecurityService>)
    }

    /// Of the repository.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    let plan: Plan
    let folder: RunFolder
    private(set) var journal: [Observation] = []
    private var injector: Injector
    private var processes: [String: Process] = [:]
    private let path: String

    /// - Parameters:
    ///   - method: Steps in the words of a campaign file.
    init(_ topology: String = Fleet.small, method: String = "", off: [Control] = []) throws {
        let text = topology + (method.isEmpty ? "" : "method:\n\(method)\n")
        var plan = try Plan.read(file: "test.yaml", attacks: Attacks.catalogue) { _ in text }
        plan.controlsOff = off
        self.plan = plan
        path = NSTemporaryDirectory() + "orrery-fleet-\(UUID().uuidString)"
        folder = RunFolder(existing: path)
        try RunFolder.make(path + "/state")
        // Keys from the system's generator: a seeded one would be shared by all tests of this process.
        var workshopPlan = plan
        workshopPlan.clock = .wall
        try Workshop(plan: workshopPlan, folder: folder, guestFolder: Fleet.root + "/.build/guest").prepare()
        var threat = try JSONDecoder().decode(
            ThreatConfiguration.self, from: Data(contentsOf: URL(fileURLWithPath: folder.state("threat.json"))))
        threat.setting.clock = .virtual
        injector = Injector(threat)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A home and the cloud, with these devices.
    static func topology(stop: String, devices: String...) -> String {
        """
        name: test
        stop: \(stop)
        networks:
          home:  { latency: 8ms }
          cloud: { latency: 30ms }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:

        """ + devices.map { "  \($0)\n" }.joined()
    }

    static let small = topology(
        stop: "2h", devices: "fridge: { network: home, peers: [oven] }", "oven:   { network: home, peers: [fridge] }")

    func run() throws -> Report {
        injector.receive(.hello(Hello(node: "coordinator", generation: 0, publicIdentity: "")), from: PeerName.coordinator, now: .start)
        try start("service", 0)
        for device in plan.devices { try start(device.name, 0) }
        var isOver = false
        while !isOver {
            injector.advance(now: .start)
            let outgoing = injector.takeOutgoing()
            if outgoing.isEmpty { break }
            for (peer, frame) in outgoing {
                switch frame {
                case .grant(let grant): injector.receive(.yield(step(peer, grant)), from: peer, now: .start)
                case .journal(let observations): journal += observations
                case .processWanted(let order): try carryOut(order)
                case .finished: isOver = true
                default: break
                }
            }
        }
        return Report(plan: plan, journal: journal, digest: "", attacks: Attacks.catalogue)
    }

    func facts(_ kind: Fact.Kind, at node: String? = nil) -> [Observation] {
        journal.filter { $0.fact.kind == kind && (node == nil || $0.node == node) }
    }

    private func start(_ node: String, _ generation: UInt32) throws {
        let peer = PeerName.of(node, generation)
        let data = try Data(contentsOf: URL(fileURLWithPath: Workshop.configuration(folder, node)))
        var identity = ""
        var marks: [String] = []
        if node == "service" {
            processes[peer] = .service(NodeRunner(try SecurityService(JSONDecoder().decode(ServiceConfiguration.self, from: data))))
        } else {
            let configuration = try JSONDecoder().decode(DeviceConfiguration.self, from: data)
            let device = try Device(configuration, generation: Int(generation))
            marks = configuration.benchMarks
            identity = device.deviceID
            processes[peer] = .device(NodeRunner(device))
        }
        injector.receive(.hello(Hello(node: node, generation: generation, publicIdentity: identity, marks: marks)), from: peer, now: .start)
    }

    private func step(_ peer: String, _ grant: Grant) -> Yield {
        switch processes[peer] {
        case .device(var runner)?:
            processes[peer] = nil
            defer { processes[peer] = .device(runner) }
            return runner.run(grant)
        case .service(var runner)?:
            processes[peer] = nil
            defer { processes[peer] = .service(runner) }
            return runner.run(grant)
        case nil: return Yield(effects: [], nextWork: .never, nextSend: .never)
        }
    }

    private func carryOut(_ order: ProcessOrder) throws {
        switch order.verb {
        case .kill: processes[PeerName.of(order.node, order.generation)] = nil
        case .start, .clone, .duplicate, .rewrite, .glitch, .recover:
            try Bench.carryOut(order, folder)
            try start(order.node, order.generation)
        }
    }
}
