import ArgumentParser
import Catalogue
import Foundation
import Injector
import Judging
import Planning
import ReportFormats

struct ReportCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, html, json, junit, openmetrics, csv, navigator, stix
        case verdictsCSV = "verdicts-csv"
    }

    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Judge a run again from its plan and journal, and print the report.",
        discussion: "Ends with 0 whatever it reports: how the run ended is the exit code of `orrery run`.")

    @Argument(help: "The folder of a run.") var folder: String
    @Option(
        help: "text, html, json, junit, openmetrics, csv (devices), verdicts-csv, navigator (an ATT&CK layer) or stix (a STIX 2.1 bundle).")
    var format: Format =
        .text

    func run() throws {
        let folder = RunFolder(existing: folder)
        let plan = try folder.readPlan()
        let (journal, digest) = try JournalFile.read(folder.journalPath)
        if let then = try? folder.readReport().digest, then != digest {
            Terminal.note("\(folder.journalPath) is not as its run wrote it: its digest was \(then)")
        }
        if folder.hasOtherPlan { Terminal.note("\(folder.planPath) is not as its run wrote it") }
        let report = Report(plan: plan, journal: journal, digest: digest, catalogue: Injector.catalogue)
        let text =
            switch format {
            case .text: report.text
            case .html: HTMLReport(plan: plan, report: report, journal: journal, faults: Injector.catalogue.faults).page
            case .json: try RunFolder.encode(MetricsFile(report: report, provenance: plan.provenance, planDigest: folder.planDigest))
            case .junit: report.junit
            case .openmetrics: report.openMetrics
            case .csv: report.csv(devices: plan.devices)
            case .verdictsCSV: report.verdictsCSV
            case .navigator: report.navigatorLayer(Injector.catalogue.attacks)
            case .stix: try STIXBundle(report, plan, Injector.catalogue.attacks).json()
            }
        print(text, terminator: "")
    }
}
