import Foundation
import Lab
public import Planning
import Provisioning
public import RunFiles
import Runtime
import Synchronization
public import Wire

/// One run from plan to journal: prepares, launches, records, supervises, and leaves nothing behind.
public final class RunSession: Sendable {
    /// What a run has left.
    public struct Record {
        public var plan: Plan
        public var folder: RunFolder
        public var journal: ObservationLog
        /// SHA-256 of the journal's file, in hex.
        public var digest: String
        /// Since when, before anything was prepared.
        public var begun: ContinuousClock.Instant
        /// Without preparing and launching: what the clock itself took.
        public var runSeconds: Double
    }

    private let plan: Plan
    private let folder: RunFolder
    private let preflight: Preflight
    private let watcher: any RunWatcher
    private let link = Mutex<ControlLink?>(nil)
    private let wasInterrupted = Atomic<Bool>(false)
    /// A process has ended because the disk did not take what it was told to keep.
    private let cannotWrite = Atomic<Bool>(false)

    public init(_ plan: Plan, base: String, watcher: any RunWatcher) throws {
        self.watcher = watcher
        preflight = Preflight(binFolder: Machine.executableFolder)
        for note in try preflight.check(plan) { Terminal.note(note) }
        var plan = plan
        plan.provenance = RunSession.provenance(of: plan)
        self.plan = plan
        folder = try RunFolder(base: base, plan: plan)
    }

    /// What a run of the plan would be made of, as it is here and now.
    public static func provenance(of plan: Plan) -> Provenance {
        .gather(plan, version: RunFolder.writerVersion, guestFolder: Machine.guestFolder(above: Machine.executableFolder))
    }

    /// Ends the run early; what happened so far is recorded.
    public func interrupt() {
        wasInterrupted.store(true, ordering: .relaxed)
        link.withLock { $0?.send(.finish) }
    }

    public func run() async throws -> Record {
        let begun = ContinuousClock.now
        try RunFolder.writeJSON(plan, folder.planPath)
        try RunProvisioner(plan: plan, folder: folder, guestFolder: preflight.guestFolder).prepare()
        if let work = plan.benchWork { try bench.prepare(work.device, glitch: work.glitch) }
        let socketFolder = try RunSession.makeSocketFolder()
        defer { try? FileManager.default.removeItem(atPath: socketFolder) }
        let endpoint = "ipc://\(socketFolder)/bus"
        let link = ControlLink(endpoint: endpoint)
        self.link.withLock { $0 = link }
        let supervisor = Supervisor(binFolder: preflight.binFolder, endpoint: endpoint, folder: folder) { key, end, code in
            self.watcher.lost(key.name, end)
            // The run would be judged without what it was told to keep.
            if code == Startup.cannotWrite { self.cannotWrite.store(true, ordering: .relaxed) }
            if self.cannotWrite.load(ordering: .relaxed) { return link.end() }
            // Without the network there is no run.
            if key.name == "threat" {
                link.end()
            } else {
                link.send(.processGone(node: key.name, generation: key.generation))
            }
        }
        let recorder = try Recorder(path: folder.journalPath)
        let capture = plan.capture ? try KeptFile(path: folder.path + "/capture.pcapng") : nil
        var runBegun = begun
        do {
            try await supervisor.start("orrery-threat", .init(name: "threat", generation: 0), configuration: folder.state("threat.json"))
            for service in plan.serviceNodes { try await start(service, 0, supervisor) }
            for gateway in plan.gateways where plan.clock == .wall { try await start(gateway.name, 0, supervisor) }
            for device in plan.devices { try await start(device.name, 0, supervisor) }
            runBegun = try await follow(link, supervisor, recorder, capture)
        } catch {
            await supervisor.stopAll()
            link.end()
            throw error
        }
        let runEnded = ContinuousClock.now
        await supervisor.stopAll()
        link.end()
        return Record(
            plan: plan, folder: folder, journal: recorder.journal, digest: recorder.finish(), begun: begun,
            runSeconds: Double((runEnded - runBegun).nanoseconds) / 1e9)
    }

    private var bench: Bench { Bench(folder: folder.stateFolder) }

    private func executable(of node: String) -> String {
        if plan.serviceNodes.contains(node) { return "orrery-service" }
        return plan.gateways.contains { $0.name == node } ? "orrery-gateway" : "orrery-device"
    }

    private func start(_ node: String, _ generation: UInt32, _ supervisor: Supervisor) async throws {
        try await supervisor.start(
            executable(of: node), .init(name: node, generation: generation),
            configuration: folder.configuration(of: node))
    }

    /// Records until the injector says that the run is over. Returns when the clock began.
    private func follow(
        _ link: ControlLink, _ supervisor: Supervisor, _ recorder: Recorder, _ capture: KeptFile?
    ) async throws -> ContinuousClock.Instant {
        var begun = ContinuousClock.now
        for await frame in link.frames {
            switch frame {
            case .ready:
                begun = .now
                if wasInterrupted.load(ordering: .relaxed) { link.send(.finish) }
            case .journal(let observations):
                try recorder.append(observations)
                watcher.observed(observations)
            case .progress(let now, _): watcher.progress(now, of: plan.stop)
            case .processWanted(let order): try await carryOut(order, supervisor)
            case .capture(let bytes): try capture?.append(bytes)
            case .refused(let why): throw RunError(why)
            case .finished:
                await supervisor.expectEnds()
                return begun
            default: break
            }
        }
        if cannotWrite.load(ordering: .relaxed) { throw RunError("cannot write \(folder.path)/keys.log: is the disk full?") }
        throw RunError("the injector ended before the run did: see \(folder.log("threat"))")
    }

    private func carryOut(_ order: ProcessOrder, _ supervisor: Supervisor) async throws {
        switch order.verb {
        case .kill: await supervisor.kill(.init(name: order.node, generation: order.generation))
        case .start, .clone, .duplicate, .rewrite, .glitch, .recover:
            try bench.carryOut(order)
            try await start(order.node, order.generation, supervisor)
        }
    }

    /// A socket's path has at most 107 characters, so it does not lie in the run's folder.
    private static func makeSocketFolder() throws -> String {
        let path = NSTemporaryDirectory() + "orrery-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max))"
        guard path.utf8.count < 100 else { throw RunError("the path of the temporary folder is too long for a socket: \(path)") }
        guard !FileManager.default.fileExists(atPath: path) else { throw RunError("the socket path \(path) is in use") }
        try RunFolder.make(path)
        // Whoever reaches the socket can speak as any node.
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        return path
    }
}
