import Foundation
import Injector
public import Planning
public import RunFiles
public import RunResults
import Synchronization

extension Plan {
    /// Reads a topology or campaign file.
    /// - Parameter kind: Of which all devices are to be, by its name; as the file says without it.
    public static func load(_ file: String, kind: String? = nil) throws(PlanProblems) -> Plan {
        var sources: [String] = []
        var plan = try Plan.read(file: file, catalogue: Injector.catalogue, kindNamed: kind) { path in
            sources.append(path)
            return FileManager.default.contents(atPath: path).flatMap { String(data: $0, encoding: .utf8) }
        }
        plan.sources = sources
        return plan
    }

    /// The same file once for each kind of device. What is refused is refused for all of them at once, before anything runs.
    public static func load(_ file: String, kinds: [String]) throws(PlanProblems) -> [Plan] {
        var plans: [Plan] = []
        var problems: [Problem] = []
        for kind in kinds {
            do throws(PlanProblems) {
                plans.append(try load(file, kind: kind))
            } catch {
                problems += error.problems.filter { !problems.contains($0) }
            }
        }
        guard problems.isEmpty else { throw PlanProblems(problems: problems) }
        return plans
    }

    /// Says on standard error what of it will show nothing.
    public func warn() { for warning in warnings(Injector.catalogue) { Console.note(warning) } }

    /// On the wall clock it is what time it is, unless the file says otherwise: real programs look at their own clocks.
    public mutating func beginNow() {
        if epochSeconds == Plan.defaultEpochSeconds { epochSeconds = Int64(Date().timeIntervalSince1970) }
    }

    /// Runs it; Ctrl-C ends it early and still gives its report, a second one ends at once.
    /// - Parameter base: Folder for run folders.
    public func perform(base: String, watcher: any RunWatcher) async throws -> RunOutcome {
        try await RunOutcome.of(self, base: base, watcher: watcher) { interrupt in InterruptTarget.shared.withLock { $0 = interrupt } }
    }
}
