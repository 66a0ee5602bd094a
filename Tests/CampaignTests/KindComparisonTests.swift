import Catalogue
import Foundation
import Injector
import Judging
import Planning
import ReportFormats
import Testing
import Wire

/// Comparisons of kinds of device, from journals made by hand.
@Suite struct KindComparisonTests {
    private static let text = TwoFridges.topology(
        """
        method:
          - { at: 20m, for: 9m, attack: modified-image, target: { devices: fridge } }
          - { at: 40m, for: 5m, attack: rogue-device, target: { devices: fridge-1 } }
          - { at: 50m, attack: botnet, target: { devices: fridge-2 } }
        """)

    private static func fact(_ minutes: Int64, _ node: String, _ fact: Fact) -> Observation { TwoFridges.fact(minutes, node, fact) }

    private static func plan(_ kind: DeviceKind) throws -> Plan {
        try Plan.read(file: "t.yaml", catalogue: Injector.catalogue, kind: kind) { _ in text }
    }

    /// What the bench leaves in both fridges, and what became of it.
    private static func journal(bootsImplant: Bool) -> [Observation] {
        let digest = Fact.Value.text("f1d148c21970770b")
        let left = ["fridge-1", "fridge-2"].map { target in
            fact(20, "0", Fact(.trace, [.instance: "s1", .digest: digest, .target: .text(target)]))
        }
        let words = "the implant says \"hello\", at boot"
        let end =
            bootsImplant
            ? [
                fact(22, "0", Fact(.attackSucceeded, [.instance: "s1", .target: "fridge-2", .evidence: .text(words)])),
                fact(24, "service", Fact(.alert, [.rule: "image-refused", .device: "fridge-1", .digest: digest])),
                fact(25, "fridge-1", Fact(.exchange, [.result: "failed"])), fact(26, "fridge-2", Fact(.exchange, [.result: "failed"])),
                fact(31, "fridge-1", Fact(.exchange, [.result: "accepted"])),
            ]
            : [
                fact(23, "fridge-1", Fact(.exchange, [.result: "failed"])), fact(24, "fridge-1", Fact(.exchange, [.result: "accepted"])),
                fact(21, "fridge-2", Fact(.bootFallback, [.digest: digest])),
            ]
        var use = ResourceUse()
        (use.cpuNanoseconds, use.sentBytes, use.erasedSectors) = (3_000_000_000, 3 << 20, bootsImplant ? 0 : 5)
        let lives = [40, 120].map { fact($0, "network", use.fact(of: "fridge-1")) }
        return
            (left + [fact(21, "fridge-1", Fact(.bootFallback, [.digest: digest]))] + end + lives + [
                fact(120, "network", Fact(.runEnded))
            ]).sorted { $0.at < $1.at }
    }

    private static func comparison(_ kinds: [DeviceKind] = [.mt3620, .linuxPlain]) throws -> KindComparison {
        KindComparison(
            try kinds.map { kind in
                let (plan, journal) = (try plan(kind), journal(bootsImplant: kind.description.lacks.contains(.secureBoot)))
                let report = Report(plan: plan, journal: ObservationLog(journal), digest: "d-\(kind)", catalogue: Injector.catalogue)
                return .init(kind, plan: plan, journal: ObservationLog(journal), report: report, folder: "runs/t/\(kind.rawValue)")
            }, catalogue: Injector.catalogue)
    }

    @Test func verdictsThatDifferAreMarkedAndExplained() throws {
        let comparison = try Self.comparison()
        #expect(comparison.rows.map(\.differs) == [true, false, false])
        #expect(comparison.rows.map(\.isKnown) == [true, false, false])
        #expect(comparison.differences.map(\.attack) == ["modified-image"])
        let cells = comparison.rows[0].cells
        #expect(cells.map(\.kind) == [.mt3620, .linuxPlain])
        #expect(cells.map(\.outcome) == [.defended, .compromised])
        #expect(cells[0].proof?.witness?.kind == "boot-fallback")
        // The one on which it ended worst, not the first.
        #expect(cells[1].proof?.target == "fridge-2")
        #expect(cells[1].proof?.reason == "the implant says \"hello\", at boot")
        #expect(cells.map(\.madeWithout) == [[], ["secure-boot"]])
        #expect(cells.map { [$0.reach.targets, $0.reach.tried, $0.reach.reached, $0.reach.harmed] } == [[2, 2, 2, 0], [2, 2, 2, 1]])
        #expect(cells.map(\.detectedAfterNanoseconds) == [nil, 240_000_000_000])
        // Two of the attacks were never tried.
        #expect(!comparison.isCertain)
    }

    /// Where nobody was there to be attacked nothing was protected, and nothing fell.
    @Test func aRunThatCannotTellMakesNoDifference() throws {
        let connection = Fact.Value.text("10.1.255.254:32768>443")
        let tried: [Observation] = [
            Self.fact(
                41, "2", Fact(.attackStep, [.instance: "s2", .target: "fridge-1", .connection: connection, .code: "evidence-rejected"])),
            Self.fact(41, "service", Fact(.evidenceAppraised, [.connection: connection, .code: "evidence-rejected"])),
        ]
        let runs = try [DeviceKind.mt3620, .linuxTPM].map { kind in
            let plan = try Self.plan(kind)
            let journal = (kind == .mt3620 ? tried : []) + [Self.fact(120, "network", Fact(.runEnded))]
            let report = Report(plan: plan, journal: ObservationLog(journal), digest: "", catalogue: Injector.catalogue)
            return KindComparison.Run(kind, plan: plan, journal: ObservationLog(journal), report: report, folder: "")
        }
        let comparison = KindComparison(runs, catalogue: Injector.catalogue)
        #expect(comparison.rows[1].cells.map(\.outcome) == [.defended, .untried])
        #expect(!comparison.rows[1].differs && !comparison.rows[1].isKnown)
        #expect(comparison.text.contains("\n? s2 rogue-device         defended      untried\n"))
    }

    @Test func recoveryIsFromTheEndOfTheStepToTheNextGoodExchange() throws {
        let comparison = try Self.comparison()
        let recoveries = comparison.rows[0].cells.map(\.recovery)
        // What was in order again before the step ended is no disturbance any more.
        #expect(recoveries[0]?.disturbed == 0 && recoveries[0]?.lastNanoseconds == nil)
        #expect(recoveries[1]?.disturbed == 2)
        #expect(recoveries[1]?.recovered == 1)
        #expect(recoveries[1]?.lastNanoseconds == 120_000_000_000)
        // A step that lasts as long as the run has no time after it.
        #expect(comparison.rows[2].cells.allSatisfy { $0.recovery == nil })
    }

    /// Who was taken apart when the attack ended is in order again with its certificates, not only with its next call.
    @Test func certificatesShowADeviceInOrder() throws {
        let plan = try Self.plan(.mt3620)
        let journal = [
            Self.fact(22, "fridge-1", Fact(.exchange, [.result: "accepted"])),
            Self.fact(29, "network", Fact(.processKilled, [.name: "fridge-1"])),
            Self.fact(30, "fridge-1", Fact(.certificateRestored)), Self.fact(44, "fridge-1", Fact(.exchange, [.result: "accepted"])),
            Self.fact(120, "network", Fact(.runEnded)),
        ]
        let report = Report(plan: plan, journal: ObservationLog(journal), digest: "", catalogue: Injector.catalogue)
        let run = KindComparison.Run(.mt3620, plan: plan, journal: ObservationLog(journal), report: report, folder: "")
        let recovery = KindComparison([run], catalogue: Injector.catalogue).rows[0].cells[0].recovery
        #expect(recovery?.disturbed == 1)
        #expect(recovery?.lastNanoseconds == 60_000_000_000)
    }

    /// Run alone, the file would give another run: its devices are of what kinds it says, and nobody measures them.
    @Test func aComparedRunSaysHowToRepeatIt() throws {
        let plan = try Self.plan(.linuxTPM)
        let report = Report(plan: plan, journal: [], digest: "", catalogue: Injector.catalogue)
        let page = HTMLReport(plan: plan, report: report, journal: [], faults: Injector.catalogue.faults).page
        #expect(page.contains("<pre>orrery compare --kinds linux-tpm t.yaml --seed 1</pre>"))
    }

    @Test func theUseOfAllLivesIsAddedUp() throws {
        let costs = try Self.comparison().costs
        #expect(costs.map { $0.use?.cpuNanoseconds } == [6_000_000_000, 6_000_000_000])
        #expect(costs.map { $0.use?.erasedSectors } == [10, 0])
        #expect(costs.map(\.devices) == [2, 2])
    }

    @Test func textFitsATerminalAndTellsWhatShowsADifference() throws {
        let text = try Self.comparison(DeviceKind.allCases).text
        for line in text.split(separator: "\n") { #expect(line.count <= 120, "\(line)") }
        #expect(text.contains("\n* s1 modified-image       defended      compromised   compromised\n"))
        #expect(text.contains("\n? s2 rogue-device         untried       untried       untried\n"))
        #expect(text.contains("fridge-2: at 22m, the implant says \"hello\", at boot (made without secure-boot)"))
        #expect(text.contains("defended         2/2      2/2     0/2  not noticed     undisturbed\n"))
        #expect(text.contains("compromised      2/2      2/2     1/2  4m              2m, 1 of 2 not in this run\n"))
        #expect(text.contains("  CPU time                3s            3s            3s\n"))
        #expect(text.contains("  sent                    3.0 MiB       3.0 MiB       3.0 MiB\n"))
        #expect(text.contains("Again   orrery compare t.yaml --kinds mt3620,linux-tpm,linux-plain --seed 1\n"))
    }

    @Test func tablesHaveALineForEachAttackOnEachKind() throws {
        let lines = try Self.comparison().csv.split(separator: "\r\n").map(String.init)
        #expect(lines.count == 1 + 3 * 2)
        #expect(
            lines[2] == "linux-plain,s1,modified-image,1200.0,yes,compromised,2,2,2,1,240.0,image-refused,2,1,120.0,fridge-2,0,"
                + "attack-succeeded,,1320.0,\"the implant says \"\"hello\"\", at boot\",secure-boot,2,6.0,6291456,0,0,0")
        let columns = lines[0].split(separator: ",").count
        #expect(lines[1].split(separator: ",", omittingEmptySubsequences: false).count == columns)
    }

    @Test func pagesEscapeWhatIsSaid() throws {
        let page = try Self.comparison().html
        #expect(page.contains("the implant says &quot;hello&quot;, at boot (made without secure-boot)"))
        #expect(page.contains("<tr class=\"differs\">") && page.contains("<tr class=\"same\">"))
    }

    @Test func programsReadTheSame() throws {
        let comparison = try Self.comparison()
        for format in ComparisonFormats.all where format.name == "json" {
            #expect(try JSONDecoder().decode(KindComparison.self, from: Data(format.write(comparison).utf8)) == comparison)
        }
        #expect(ComparisonFormats.all.map { $0.name } == ["text", "json", "csv", "html"])
    }

    // MARK: Reading a file for another kind

    private func problems(_ text: String, _ kind: DeviceKind?) -> [String] {
        do {
            _ = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue, kind: kind) { _ in text }
            return []
        } catch { return error.problems.map(\.description) }
    }

    @Test func allDevicesAreOfTheKindThatIsAskedFor() throws {
        let mixed = Self.text.replacing("count: 2, network: home", with: "count: 2, network: home, kind: linux-tpm")
        for kind in DeviceKind.allCases {
            let plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue, kind: kind) { _ in mixed }
            #expect(plan.devices.map(\.kind) == [kind, kind])
        }
        let plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in mixed }
        #expect(plan.devices.map(\.kind) == [.linuxTPM, .linuxTPM])
    }

    @Test func whatAKindLacksIsRefusedWithItsPlace() {
        let glitch = Self.text + "\n  - { at: 1h, for: 1m, attack: boot-glitch, target: { devices: fridge-1 } }"
        #expect(problems(glitch, nil) == [])
        #expect(
            problems(glitch, .linuxPlain) == [
                "t.yaml:12:32: boot-glitch: fridge-1 is of kind linux-plain, which has no boot code that checks signatures"
            ])
        let app = Self.text.replacing("count: 2, network: home", with: "count: 2, network: home, apps: [compressor]")
        #expect(problems(app, .mt3620) == [])
        #expect(
            problems(app, .linuxTPM) == [
                "t.yaml:7:45: apps: compressor runs on a real-time core, and a device of kind linux-tpm has no real-time cores"
            ])
    }

    @Test func stepsAtAnotherKindFindNobody() {
        let aimed = Self.text + "\n  - { at: 1h, for: 1m, attack: botnet, target: { devices: mt3620 } }"
        #expect(problems(aimed, .mt3620) == [])
        #expect(problems(aimed, .linuxTPM) == ["t.yaml:12:59: device: all devices are of kind linux-tpm here, and none is of kind mt3620"])
    }

    @Test func measuringIsAskedForByAWord() throws {
        let plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in Self.text + "\nmeasure: use" }
        #expect(plan.measuresUse == true)
        #expect(try Self.plan(.mt3620).measuresUse == nil)
        #expect(problems(Self.text + "\nmeasure: usage", nil).count == 1)
    }
}
