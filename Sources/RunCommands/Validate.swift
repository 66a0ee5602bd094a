import ArgumentParser
import CommandSupport
import Planning
import Provisioning

struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check topology and campaign files.",
        discussion: "Prints file:line:column for each problem and ends with 64 if there is any.")

    @Argument(help: "The files.") var files: [String]

    func run() throws {
        var problems: [Problem] = []
        for file in files {
            do throws(PlanProblems) {
                let plan = try Plan.load(file)
                do { for note in try AppFiles.check(plan) { Console.note(note) } } catch let known as PlanProblems { throw known } catch {
                    throw PlanProblems(file: file, "\(error)")
                }
                plan.warn()
                print("\(file): \(plan.devices.count) devices, \(plan.steps.count) steps, \(plan.expectations.count) expectations")
            } catch {
                problems += error.problems
            }
        }
        if !problems.isEmpty { throw PlanProblems(problems: problems) }
    }
}
