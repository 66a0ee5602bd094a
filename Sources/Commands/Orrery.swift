public import ArgumentParser
import Catalogue
import Factory
import Foundation
import Injector
import Lab
import Planning
import RunFiles
import Runtime
import Version
import Wire

/// The command line.
public struct Orrery: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "orrery",
        abstract: "An open testbed for highly secured IoT: launch a fleet, attack it, measure what held.",
        discussion: """
            Exit codes: 0 all expectations held, 1 some did not, 2 could not tell, 64 bad usage or file, \
            70 internal error.
            """,
        version: Version.described,
        subcommands: [
            Validate.self, Show.self, Run.self, Up.self, Replay.self, Ablate.self, Compare.self, ReportCommand.self, AttacksCommand.self,
            Faults.self,
            Controls.self, Kinds.self, Chips.self, Emulate.self, GlitchCommand.self, ImageCommand.self, SDKCommand.self, New.self,
            DeviceCommand.self,
            Tuf.self,
            EvidenceCommand.self, SBOMCommand.self,
        ])

    public init() {}

    /// Parses and runs; the process ends with the documented exit codes.
    public static func start() async {
        Interrupts.watch { InterruptTarget.fire() }
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as RunError {
            fail("\(error)", 70)
        } catch let error as LabError {
            fail("\(error)", 70)
        } catch let error as AppProblem {
            fail("\(error)", 70)
        } catch let error as FileRefused {
            fail("\(error)", 64)
        } catch let error as PlanProblems {
            fail(error.problems.map(\.description).joined(separator: "\n"), 64)
        } catch {
            // ArgumentParser's own: help, usage errors (64) and exit codes.
            exit(withError: error)
        }
    }

    /// Says on standard error what of a plan will show nothing.
    static func warn(_ plan: Plan) {
        for warning in plan.warnings(Injector.catalogue) { Terminal.note(warning) }
    }

    static func warn(_ message: String) { Terminal.note("warning: " + message) }

    static func fail(_ message: String, _ code: Int32) -> Never {
        Terminal.note(message)
        Foundation.exit(code)
    }
}

extension Plan {
    /// - Parameter kind: Of which all devices are to be, whatever the file says.
    static func load(_ file: String, kind: DeviceKind? = nil) throws(PlanProblems) -> Plan {
        var sources: [String] = []
        var plan = try Plan.read(file: file, catalogue: Injector.catalogue, kind: kind) { path in
            sources.append(path)
            return FileManager.default.contents(atPath: path).flatMap { String(data: $0, encoding: .utf8) }
        }
        plan.sources = sources
        return plan
    }
}
