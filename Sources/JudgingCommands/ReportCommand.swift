import ArgumentParser
import CommandSupport
import ReportFormats
import RunResults

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
        guard let format = ReportFormats.named(format) else { return }
        let written = try PastRun(folder).write(format)
        for note in written.notes { Console.note(note) }
        print(written.text, terminator: "")
    }
}
