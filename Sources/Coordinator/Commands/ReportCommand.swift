import ArgumentParser
import Campaign

struct ReportCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    static let configuration = CommandConfiguration(commandName: "report", abstract: "Print the report of a run.")

    @Argument(help: "The folder of a run.") var folder: String
    @Option(help: "text or json.") var format: Format = .text

    func run() throws {
        let report = try RunFolder(existing: folder).readReport()
        switch format {
        case .text: print(report.text, terminator: "")
        case .json: print(try RunFolder.encode(report), terminator: "")
        }
    }
}
