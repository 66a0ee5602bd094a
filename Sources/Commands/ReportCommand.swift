import ArgumentParser
import Catalogue
import Foundation
import Injector
import Judging
import ReportFormats
import RunFiles
import RunResults
import Runtime

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Judge a run again from its plan and journal, and print the report.",
        discussion: "Ends with 0 whatever it reports: how the run ended is the exit code of `orrery run`.")

    @Argument(help: "The folder of a run.") var folder: String
    @Option(help: "\(ReportFormats.all.map { "\($0.name): \($0.summary)" }.joined(separator: "; ")).") var format = "text"

    func validate() throws {
        guard ReportFormats.named(format) == nil else { return }
        throw ValidationError("unknown format '\(format)'; there are \(ReportFormats.all.map { $0.name }.joined(separator: ", "))")
    }

    func run() throws {
        let folder = RunFolder(existing: folder)
        let source = try folder.judge()
        if let then = try? folder.readReport().digest, then != source.report.digest {
            Terminal.note("\(folder.journalPath) is not as its run wrote it: its digest was \(then)")
        }
        if folder.hasOtherPlan { Terminal.note("\(folder.planPath) is not as its run wrote it") }
        print(try ReportFormats.named(format)?.write(source) ?? "", terminator: "")
    }
}
