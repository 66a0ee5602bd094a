import Catalogue
import Configuration
import DeviceKinds
import DeviceOS
import Foundation
import Injector
import Judging
import Planning
import SecurityService
import Testing
import Wire

@testable import Lab
@testable import Provisioning
@testable import RunFiles

/// A whole fleet in one process: the injector, the service and all devices as values, driven by hand.
///
/// Randomness is the system's, since tests run side by side: what a test asserts must hold for any draws. Unless a fleet
/// is to be compared with another: then each of its nodes has its own stream.
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
    private let isSeeded: Bool
    private var draws: [String: Draws] = [:]
    private var disorder: Disorder?

    /// - Parameters:
    ///   - method: Steps in the words of a campaign file.
    ///   - isSeeded: The same random bytes in each fleet.
    ///   - disorder: What comes between its processes and the injector.
    init(
        _ topology: String = Fleet.small, method: String = "", off: [Control] = [], isSeeded: Bool = false, disorder: Disorder? = nil
    ) throws {
        self.isSeeded = isSeeded
        self.disorder = disorder
        let text = topology + (method.isEmpty ? "" : "method:\n\(method)\n")
        var plan = try Plan.read(file: "test.yaml", catalogue: Injector.catalogue) { _ in text }
        plan.controlsOff = off
        self.plan = plan
        path = NSTemporaryDirectory() + "orrery-fleet-\(UUID().uuidString)"
        folder = RunFolder(existing: path)
        try RunFolder.make(path + "/state")
        // Keys from the system's generator: a seeded one would be shared by all tests of this process.
        var provisionedPlan = plan
        provisionedPlan.clock = .wall
        let folder = folder
        let prepare = { try RunProvisioner(plan: provisionedPlan, folder: folder, guestFolder: Fleet.root + "/.build/guest").prepare() }
        if isSeeded { try Draws("factory").drive(prepare) } else { try prepare() }
        var threat = try JSONDecoder().decode(
            ThreatConfiguration.self, from: Data(contentsOf: URL(fileURLWithPath: folder.state("threat.json"))))
        threat.setting.clock = .virtual
        injector = Injector(threat)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// An app as a topology brings it along: a program of the guest tests, with one of their manifests.
    static func app(_ name: String, program: String? = nil, manifest: String? = nil) -> String {
        let guests = "\(root)/Sources/Guest/Tests"
        let manifest = manifest.map { "\(guests)/apps/\($0)/app_manifest.json" } ?? "\(guests)/manifests/\(name).json"
        return "  \(name): { program: \(root)/.build/guest/tests/\(program ?? name).elf, manifest: \(manifest) }\n"
    }

    /// A home and the cloud, with these devices.
    static func topology(stop: String, apps: [String] = [], devices: String...) -> String {
        """
        name: test
        stop: \(stop)
        networks:
          home:  { latency: 8ms }
          cloud: { latency: 30ms }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }

        """ + (apps.isEmpty ? "" : "apps:\n" + apps.joined()) + "devices:\n" + devices.map { "  \($0)\n" }.joined()
    }

    static let small = topology(
        stop: "2h", devices: "fridge: { network: home, peers: [oven] }", "oven:   { network: home, peers: [fridge] }")

    func run() throws -> Report {
        hand(.hello(Hello(node: "coordinator", generation: 0, publicIdentity: "")), from: PeerName.coordinator)
        for service in plan.serviceNodes { try start(service, 0) }
        for device in plan.devices { try start(device.name, 0) }
        var isOver = false
        while !isOver {
            let arrivals = disorder?.arrivals() ?? []
            let outgoing = drive("threat") {
                for (frame, peer) in arrivals { injector.receive(frame, from: peer, now: .start) }
                injector.advance(now: .start)
                return injector.takeOutgoing()
            }
            if outgoing.isEmpty && arrivals.isEmpty { break }
            for (peer, frame) in outgoing {
                switch frame {
                case .grant(let grant): hand(.yield(drive(peer) { step(peer, grant) }), from: peer)
                case .journal(let observations): journal += observations
                case .processWanted(let order): try carryOut(order)
                case .finished: isOver = true
                default: break
                }
            }
        }
        return Report(plan: plan, journal: ObservationLog(journal), digest: "", catalogue: Injector.catalogue)
    }

    func facts(_ kind: Fact.Kind, at node: String? = nil) -> [Observation] {
        journal.filter { $0.fact.kind == kind && (node == nil || $0.node == node) }
    }

    private func hand(_ frame: Frame, from peer: String) {
        if disorder != nil { disorder?.send(frame, from: peer) } else { injector.receive(frame, from: peer, now: .start) }
    }

    private func drive<T>(_ who: String, _ body: () throws -> T) rethrows -> T {
        guard isSeeded else { return try body() }
        let own = draws[who] ?? Draws(who)
        draws[who] = own
        return try own.drive(body)
    }

    private func start(_ node: String, _ generation: UInt32) throws {
        let peer = PeerName.of(node, generation)
        hand(.hello(try drive(peer) { try make(node, generation) }), from: peer)
    }

    private func make(_ node: String, _ generation: UInt32) throws -> Hello {
        let peer = PeerName.of(node, generation)
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.configuration(of: node)))
        var identity = ""
        var marks: [String] = []
        if plan.serviceNodes.contains(node) {
            processes[peer] = .service(NodeRunner(try SecurityService(JSONDecoder().decode(ServiceConfiguration.self, from: data))))
        } else {
            let configuration = try JSONDecoder().decode(DeviceConfiguration.self, from: data)
            let device = try Device(configuration, generation: Int(generation))
            marks = configuration.benchMarks
            identity = device.deviceID
            processes[peer] = .device(NodeRunner(device))
        }
        return Hello(node: node, generation: generation, publicIdentity: identity, marks: marks)
    }

    private func step(_ peer: String, _ grant: Grant) -> Yield {
        switch processes[peer] {
        case .device(var runner)?:
            processes[peer] = nil
            defer { processes[peer] = .device(runner) }
            return runner.run(shortened(grant, before: runner.nextWork))
        case .service(var runner)?:
            processes[peer] = nil
            defer { processes[peer] = .service(runner) }
            return runner.run(shortened(grant, before: runner.nextWork))
        case nil: return Yield(effects: [], nextWork: .never, nextSend: .never)
        }
    }

    private func shortened(_ grant: Grant, before work: Instant) -> Grant {
        let first = min(work, grant.deliveries.map(\.at).min() ?? .never)
        return disorder?.cut(grant, work: first) ?? grant
    }

    private func carryOut(_ order: ProcessOrder) throws {
        switch order.verb {
        case .kill: processes[PeerName.of(order.node, order.generation)] = nil
        case .start, .clone, .duplicate, .rewrite, .glitch, .recover:
            try drive("bench") { try Bench(folder: folder.stateFolder).carryOut(order) }
            try start(order.node, order.generation)
        }
    }
}
