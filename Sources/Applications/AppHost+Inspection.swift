import Formats
import Silicon
public import Wire

/// Apps as somebody outside sees and steers them: over the service port, or with a probe on the debug pins.
extension AppHost {
    public struct State: Sendable {
        /// In lower case.
        public var component: String
        public var name: String
        public var isStopped: Bool
        /// A7 or M4.
        public var core: String

        fileprivate init(_ component: GUID?, _ name: String, isStopped: Bool, core: String) {
            self.component = component.map { "\($0)".lowercased() } ?? ""
            (self.name, self.isStopped, self.core) = (name, isStopped, core)
        }

        /// By component ID or name.
        public func isCalled(_ word: String) -> Bool { component == word.lowercased() || name == word }
    }

    /// On the A7, then on real-time cores.
    public var states: [State] {
        apps.map { State($0.component, $0.app, isStopped: $0.isStopped, core: "A7") }
            + cores.map { State($0.component, $0.app, isStopped: $0.isHalted, core: "M4") }
    }

    /// What each app on the A7 uses.
    public var memory: [(name: String, usedKiB: Int)] { apps.map { ($0.app, $0.memoryKiB) } }

    /// What the apps have said last, the oldest first.
    public var recentLog: [String] { apps.flatMap { app in app.recent.map { "\(app.app): \($0)" } } }

    /// Starts or stops the app of a place in ``states``.
    public mutating func set(_ place: Int, isRunning: Bool, _ out: inout Outbox) {
        let core = place < apps.count ? nil : cores[place - apps.count]
        switch (isRunning, core) {
        case (true, nil): apps[place].start(again: out.now)
        case (true, let core?): core.resume(at: out.now)
        case (false, nil): stop(at: place, &out)
        case (false, let core?): _ = core.halt()
        }
    }

    /// Somebody with a probe halts the real-time cores, or lets them go on.
    public func probe(_ request: DebugRequest, _ out: inout Outbox) {
        for core in cores {
            switch request {
            case .halt:
                let words = core.halt() ?? []
                let text = words.map { "0x" + String($0, radix: 16) }.joined(separator: " ")
                out.observe(.debugPort, [.operation: "halt", .result: words.isEmpty ? "no core" : "halted", .text: .text(text)])
            case .resume:
                core.resume(at: out.now)
                out.observe(.debugPort, [.operation: "resume", .result: "running"])
            }
        }
    }
}
