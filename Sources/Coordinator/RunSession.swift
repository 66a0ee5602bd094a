import Catalogue
import Foundation
import Injector
import Judging
import Planning
import ReportFormats
import Runtime
import SecureChannel
import Synchronization
import Wire

/// One run from plan to report: prepares, launches, records, supervises, judges, and leaves nothing behind.
final class RunSession: Sendable {
    struct Outcome {
        var report: Report
        var provenance: Provenance?
        var folder: RunFolder
        var wallSeconds: Double
        /// Without preparing and launching: what the clock itself took.
        var runSeconds: Double
    }

    private let plan: Plan
    private let folder: RunFolder
    private let preflight: Preflight
    private let watcher: any RunWatcher
    private let link = Mutex<ControlLink?>(nil)
    private let wasInterrupted = Atomic<Bool>(false)
    /// A process has ended because the disk did not take what it was told to keep.
    private let cannotWrite = Atomic<Bool>(false)

    init(_ plan: Plan, base: String, watcher: any RunWatcher) throws {
        self.watcher = watcher
        preflight = Preflight(binFolder: Machine.executableFolder)
        try preflight.check(plan)
        var plan = plan
        plan.provenance = .gather(plan, guestFolder: preflight.guestFolder)
        self.plan = plan
        folder = try RunFolder(base: base, plan: plan)
    }

    /// Ends the run early; what happened so far is judged and reported.
    func interrupt() {
        wasInterrupted.store(true, ordering: .relaxed)
        link.withLock { $0?.send(.finish) }
    }

    func run() async throws -> Outcome {
        let begun = ContinuousClock.now
        try RunFolder.writeJSON(plan, folder.planPath)
        try Workshop(plan: plan, folder: folder, guestFolder: preflight.guestFolder).prepare()
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
            try await start("service", 0, supervisor)
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
        let report = Report(plan: plan, journal: recorder.journal, digest: recorder.finish(), catalogue: Injector.catalogue)
        try RunFolder.writeJSON(MetricsFile(report: report, provenance: plan.provenance, planDigest: folder.planDigest), folder.resultPath)
        let page = HTMLReport(plan: plan, report: report, journal: recorder.journal, faults: Injector.catalogue.faults).page
        for (name, text) in [
            ("report.txt", report.text), ("report.html", page), ("junit.xml", report.junit), ("metrics.prom", report.openMetrics),
            ("attack-layer.json", report.navigatorLayer(Injector.catalogue.attacks)), ("devices.csv", report.csv(devices: plan.devices)),
            ("verdicts.csv", report.verdictsCSV),
        ] { try RunFolder.write(Array(text.utf8), "\(folder.path)/\(name)") }
        return Outcome(
            report: report, provenance: plan.provenance, folder: folder, wallSeconds: RunSession.seconds(ContinuousClock.now - begun),
            runSeconds: RunSession.seconds(runEnded - runBegun))
    }

    private static func seconds(_ duration: Duration) -> Double { Double(duration.nanoseconds) / 1e9 }

    private func executable(of node: String) -> String {
        if node == "service" { return "orrery-service" }
        return plan.gateways.contains { $0.name == node } ? "orrery-gateway" : "orrery-device"
    }

    private func start(_ node: String, _ generation: UInt32, _ supervisor: Supervisor) async throws {
        try await supervisor.start(
            executable(of: node), .init(name: node, generation: generation),
            configuration: Workshop.configuration(folder, node))
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
            try Bench.carryOut(order, folder)
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

/// Somebody who watches a run.
protocol RunWatcher: Sendable {
    func progress(_ now: Instant, of stop: Instant)
    func observed(_ observations: [Observation])
    func lost(_ process: String, _ end: String)
}

/// A file that a run was told to keep whole: it ends where it can't.
final class KeptFile {
    private let file: ByteFile
    private let path: String

    init(path: String) throws {
        guard let file = ByteFile(path: path) else { throw RunError("cannot write \(path)") }
        (self.file, self.path) = (file, path)
    }

    func append(_ bytes: [UInt8]) throws {
        guard file.append(bytes) else { throw RunError("cannot write \(path): is the disk full?") }
    }
}

/// Writes the journal and its digest as it grows.
final class Recorder {
    private(set) var journal: [Observation] = []
    private let file: KeptFile
    private let digest = SHA256Stream()

    init(path: String) throws {
        file = try KeptFile(path: path)
        try write(Journal.header + "\n")
    }

    /// A journal with a hole would be judged like a whole one: the run ends instead.
    func append(_ observations: [Observation]) throws {
        journal += observations
        try write(observations.map { Journal.line($0) + "\n" }.joined())
    }

    private func write(_ text: String) throws {
        let bytes = Array(text.utf8)
        digest.update(bytes)
        try file.append(bytes)
    }

    func finish() -> String { digest.finish().hex }
}
