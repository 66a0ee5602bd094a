import Fabric
import Injector
import Judging
import Planning
import ReportFormats
import Testing
import Wire

/// Two attacks that put the same bytes into two devices: what is seen of one says nothing of the other.
@Suite struct SameBytesTests {
    private static let text = TwoFridges.topology(
        """
        method:
          - { at: 10m, for: 1m, attack: modified-image, target: { devices: fridge-2 } }
          - { at: 20m, for: 9m, attack: modified-image, target: { devices: fridge-1 } }
          - { at: 40m, for: 5m, attack: rogue-device, target: { devices: fridge-1 } }
        """)

    private func fact(_ minutes: Int64, _ node: String, _ fact: Fact) -> Observation {
        TwoFridges.fact(minutes, node, fact)
    }

    private func report() throws -> Report {
        let digest = Fact.Value.text("f1d148c21970770b")
        func left(_ step: String, in target: String) -> Fact {
            Fact(.trace, [.instance: .text(step), .digest: digest, .target: .text(target)])
        }
        func tried(_ way: String, _ details: [Fact.Detail: Fact.Value]) -> Fact {
            Fact(.attackStep, details.merging([.instance: "s3", .step: .text(way), .target: "fridge-1"]) { $1 })
        }
        let connection = Fact.Value.text("10.1.255.254:32768>443")
        let journal = [
            fact(10, "0", left("s1", in: "fridge-2")), fact(20, "1", left("s2", in: "fridge-1")),
            fact(21, "fridge-1", Fact(.bootFallback, [.digest: digest])),
            fact(22, "service", Fact(.alert, [.rule: "image-refused", .device: "fridge-1", .digest: digest])),
            fact(41, "2", tried("offer evidence", [.connection: connection, .code: "evidence-rejected"])),
            fact(41, "service", Fact(.evidenceAppraised, [.connection: connection, .code: "evidence-rejected"])),
            fact(42, "2", tried("call the victim", [.code: "name-not-found"])), fact(120, "network", Fact(.runEnded)),
        ]
        let plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in Self.text }
        return Report(plan: plan, journal: ObservationLog(journal), digest: "", catalogue: Injector.catalogue)
    }

    @Test func eachHasItsOwnWitnessAndAlert() throws {
        let report = try report()
        #expect(report.verdicts.map(\.outcome) == [.unreached, .defended, .unreached])
        #expect(report.verdicts.map(\.alerts) == [0, 1, 0])
        #expect(report.recall == 1.0 / 3)
    }

    @Test func tablesAndTestResultsTellTheVerdicts() throws {
        let report = try report()
        #expect(report.verdictsCSV.contains("s2,modified-image,fridge-1,defended,1,fridge-1,boot-fallback,,1260.0,1,120.0\r\n"))
        #expect(report.junit.contains("<property name=\"rogue-device (s3) on fridge-1\" value=\"unreached\"/>"))
    }

    @Test func namesOfAttackersNodesAreRefused() {
        for name in ["rogue-s3", "bot-s1-home"] {
            let text = Self.text.replacing(
                "fridge: { count: 2, network: home }", with: "fridge: { count: 2, network: home }\n  \(name): { network: home }")
            #expect(throws: PlanProblems.self) { try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in text } }
        }
    }

    @Test func numbersThatNoTopologyCouldHaveSaidAreNamed() throws {
        var plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in Self.text }
        #expect(plan.outOfRange == nil)
        plan.networks[0].lossRatio = 9e18
        #expect(plan.outOfRange != nil)
        plan.networks[0].lossRatio = 0
        plan.epochSeconds = .max
        #expect(plan.outOfRange != nil)
    }
}
