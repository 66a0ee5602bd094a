public import Formats
import Kernel
public import Silicon

/// Up to two real-time cores and the A7 of one chip, side by side in one virtual time: with the mailbox between the
/// real-time cores, the rings between them and apps on the A7, and wires from one ISU to another.
public final class ChipEmulation {
    /// What runs on one core.
    public final class Part {
        public enum Program {
            case realTime(Emulation)
            case highLevel(ProgramEmulation)
        }
        public let name: String
        public let program: Program
        public let manifest: AppManifest?
        let component: GUID?
        /// Component IDs that its manifest lists; nil without a manifest, where nothing forbids it.
        let allowed: Set<String>?
        public fileprivate(set) var end: End?
        /// For apps on the A7 that have no room for it.
        fileprivate var undelivered: [HighLevelPartner.Message] = []
        fileprivate var room = 0

        public init(_ program: Program, name: String, manifest: AppManifest?) {
            (self.program, self.name, self.manifest) = (program, name, manifest)
            component = manifest.flatMap { GUID($0.componentID) }
            allowed = manifest.map { Set($0.names("AllowedApplicationConnections").map { $0.lowercased() }) }
        }

        public var board: Board {
            switch program {
            case .realTime(let one): one.board
            case .highLevel(let one): one.board
            }
        }
        public var core: RealTimeCore? { if case .realTime(let one) = program { one.core } else { nil } }
        var app: ProgramEmulation? { if case .highLevel(let one) = program { one } else { nil } }
        public var now: Int64 { core?.now ?? app?.kernel.now ?? 0 }
        var nextWork: Int64 {
            if end != nil { return .max }
            return core?.nextWork ?? app?.nextWork ?? .max
        }

        func lists(_ other: Part) -> Bool {
            guard let allowed, let id = other.component else { return true }
            return allowed.contains("\(id)".lowercased())
        }
    }

    public enum End: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int)
        case lockedUp
    }
    public enum Stop: Equatable, Sendable {
        case outOfTime
        /// Every part has ended, or waits for something that will never come.
        case allAtRest
        /// The program on the A7 has ended.
        case appEnded(End)
    }

    public enum Refusal: Error, Equatable, CustomStringConvertible {
        case tooManyRealTime
        case tooManyHighLevel
        public var description: String {
            switch self {
            case .tooManyRealTime: "the chip has two real-time cores"
            case .tooManyHighLevel: "one program runs on the A7; it may start others"
            }
        }
    }

    public let parts: [Part]
    private let cores: [Part]
    private let app: Part?
    /// How far a busy core runs before the others have their turn.
    private let slice: Int64

    public init(_ parts: [Part]) throws(Refusal) {
        self.parts = parts
        cores = parts.filter { $0.core != nil }
        guard cores.count <= 2 else { throw .tooManyRealTime }
        let apps = parts.filter { $0.app != nil }
        guard apps.count <= 1 else { throw .tooManyHighLevel }
        app = apps.first
        // With a wire, not much more than what a byte takes on it.
        let isWired = parts.contains { part in (0..<6).contains { part.board.wired(to: $0) != nil } }
        slice = isWired ? 20_000 : 100_000
        for (index, part) in parts.enumerated() { for other in parts.dropFirst(index + 1) { part.board.join(other.board) } }
        connect()
    }

    /// The rings between the app and real-time apps.
    private func connect() {
        guard let app, let kernel = app.app?.kernel, let sender = app.component else { return }
        for core in cores { if case .realTime(let one) = core.program { one.joinApps() } }
        kernel.interCore = { [unowned self] component, payload in
            guard let core = cores.first(where: { $0.component == component && $0.end == nil }), core.lists(app) else { return true }
            guard let ends = core.core, ends.messageRoomBytes >= HighLevelPartner.ringBytes(ofPayload: payload.count) else { return false }
            ends.skip(to: min(kernel.now, ends.nextWork))
            ends.post(.init(component: sender, payload: payload))
            return true
        }
        kernel.hasRoom = { [unowned self] component in
            guard let core = cores.first(where: { $0.component == component })?.core else { return true }
            return core.messageRoomBytes >= HighLevelPartner.ringBytes(ofPayload: Kernel.longestMessage)
        }
    }

    /// The earliest of all parts that still run.
    public var now: Int64 { parts.lazy.filter { $0.end == nil }.map(\.now).min() ?? parts.map(\.now).max() ?? 0 }

    public func run(until limit: Int64, isStopped: () -> Bool = { false }) -> Stop {
        while !isStopped() {
            exchange()
            guard let next = parts.min(by: { $0.nextWork < $1.nextWork }), next.nextWork < .max else {
                skip(to: limit)
                return .allAtRest
            }
            guard next.nextWork < limit else {
                skip(to: limit)
                return .outOfTime
            }
            run(next, until: min(limit, next.nextWork + slice))
            if let app, let end = app.end { return .appEnded(end) }
        }
        return .outOfTime
    }

    /// Everybody who waits has come to an instant.
    private func skip(to limit: Int64) {
        for part in parts where part.end == nil && part.nextWork >= limit {
            part.core?.skip(to: limit)
            part.app?.kernel.skip(to: limit)
        }
    }

    private func run(_ part: Part, until limit: Int64) {
        switch part.program {
        case .realTime(let one):
            switch one.run(until: limit) {
            case .exited(let code): part.end = .exited(code)
            case .lockedUp: part.end = .lockedUp
            case .outOfTime, .asleepForEver, .breakpoint: break
            }
        case .highLevel(let one):
            switch one.step(until: limit) {
            case .exited(let code): part.end = .exited(code)
            case .killed(let signal): part.end = .killed(signal: signal)
            // The app's device is down; the other programs are looked at alone.
            case .rebooted, .poweredDown: part.end = .exited(0)
            case .outOfTime, .asleepForEver, nil: break
            }
        }
    }

    /// What the parts have for each other.
    private func exchange() {
        if cores.count == 2, let one = cores[0].core, let two = cores[1].core {
            if cores.contains(where: { $0.end != nil }) {
                one.leaveWires()
                two.leaveWires()
            } else if cores[0].lists(cores[1]) || cores[1].lists(cores[0]) {
                one.exchangeMail(with: two)
            } else {
                one.exchangeWires(with: two)
            }
        }
        guard let app, let kernel = app.app?.kernel, let receiver = app.component else { return }
        for core in cores {
            guard let ends = core.core, let sender = core.component else { continue }
            core.undelivered += ends.takeMessages().filter { message in
                message.component == receiver && core.lists(app)
            }
            while let message = core.undelivered.first, kernel.take(message.payload, from: sender) {
                core.undelivered.removeFirst()
                app.app?.wake(at: core.now)
            }
            ends.holdMessages(!core.undelivered.isEmpty)
            let room = ends.messageRoomBytes
            if room > core.room {
                kernel.noteRoom()
                app.app?.wake(at: kernel.now)
            }
            core.room = room
        }
    }

    /// The run is over.
    public func finish() { for part in parts { part.board.finish(at: part.now) } }
}
