import AppCommands
import ArgumentParser
import CatalogueCommands
import CommandSupport
import DeviceCommands
import EmulatorCommands
import Factory
import GlitchCommands
import InspectionCommands
import JudgingCommands
import Lab
import Planning
import RepositoryCommands
import RunCommands
import RunFiles
import Version

/// The command line: all groups of commands, and the exit codes that they have in common.
struct Orrery: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orrery",
        abstract: "An open testbed for highly secured IoT: launch a fleet, attack it, measure what held.",
        discussion: """
            Exit codes: 0 all expectations held, 1 some did not, 2 could not tell, 64 bad usage or file, \
            70 internal error.
            """,
        version: Version.described,
        subcommands: RunCommands.all + JudgingCommands.all + CatalogueCommands.all + EmulatorCommands.all + GlitchCommands.all
            + AppCommands.all + DeviceCommands.all + RepositoryCommands.all + InspectionCommands.all)

    /// Parses and runs; the process ends with the documented exit codes.
    static func start() async {
        InterruptTarget.watch()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as RunError {
            Console.fail("\(error)", 70)
        } catch let error as LabError {
            Console.fail("\(error)", 70)
        } catch let error as AppProblem {
            Console.fail("\(error)", 70)
        } catch let error as FileRefused {
            Console.fail("\(error)", 64)
        } catch let error as PlanProblems {
            Console.fail(error.problems.map(\.description).joined(separator: "\n"), 64)
        } catch {
            // ArgumentParser's own: help, usage errors (64) and exit codes.
            exit(withError: error)
        }
    }
}
