import Injector
import Testing

@testable import Judging
@testable import Planning
@testable import ReportFormats

/// One grammar for all names.
@Suite struct NameTests {
    private static func problems(_ name: String = "x", devices: String = "a: { network: home }", catalog: String = "acme") -> [String] {
        let text = """
            name: \(name)
            networks: { home: { latency: 8ms } }
            service: { network: home, catalog: \(catalog) }
            devices:
            \(devices.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
            """
        do throws(PlanProblems) {
            _ = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in text }
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func goodNamesAreTaken() {
        #expect(NameTests.problems(devices: "a-1: { network: home }\n\(String(repeating: "b", count: 63)): { network: home }").isEmpty)
    }

    @Test(arguments: [
        "7: { network: home }", "coordinator: { network: home }", "Network: { network: home }", "a_b: { network: home }",
        "-a: { network: home }", "\(String(repeating: "b", count: 64)): { network: home }", "releases: { network: home }",
        "a: { network: home, product: \"fridge, DNS:service.acme.internal\" }", "a: { network: home, product: \"f\\0\" }",
        "a: { network: home, group: \"x/y\" }", "fridge: { network: home, count: 2 }\nfridge-1: { network: home }",
        "fridge: { network: home }\nFridge: { network: home }", "a: { network: home }\na-clone: { network: home }",
        "a: { network: home }\na-double: { network: home }", "\(String(repeating: "b", count: 62)): { network: home, count: 12 }",
    ]) func badNamesAreRefused(devices: String) { #expect(!NameTests.problems(devices: devices).isEmpty) }

    @Test func hostNamesAreTaken() {
        let names = "[example.com, \"*.azure-devices.net\", A.b-c._tcp.d1, localnet]"
        #expect(NameTests.problems(devices: "a: { network: home, names: \(names) }").isEmpty)
    }

    @Test(arguments: [
        "a: { network: home, names: [example..com] }", "a: { network: home, names: [\"a.*.com\"] }", "a: { network: home, names: [\"*\"] }",
        "a: { network: home, names: [10.1.0.9] }", "a: { network: home, names: [b.acme.internal] }",
        "a: { network: home, names: [localhost] }",
        "a: { network: home, names: [\"exa mple.com\"] }", "a: { network: home, names: [-a.com] }", "a: { network: home, names: {} }",
        "a: { network: home, names: [\(String(repeating: "b", count: 64)).com] }", "a: { network: home, count: 2, names: [a.com] }",
        "a: { network: home, names: [a.com] }\nb: { network: home, names: [A.com] }", "a: { network: home, names: [\"\"] }",
    ]) func badHostNamesAreRefused(devices: String) { #expect(!NameTests.problems(devices: devices).isEmpty) }

    @Test(arguments: ["../../tmp/x", "a/b", "..", "latest", "\"\"", "7"]) func aRunsNameIsNoPath(name: String) {
        #expect(!NameTests.problems(name).isEmpty)
    }

    /// Certificates of programs that enrol hold a host's name, as a device's do: nobody gets another's.
    @Test(arguments: [
        ("laptop: first-use-only", true), ("a: first-use-only", false), ("A: first-use-only", false), ("bench: first-use-only", false),
        ("laptop: short", false), ("laptop: [first-use-only]", false),
    ]) func programsThatEnrolHaveNamesOfTheirOwn(client: String, isGood: Bool) {
        #expect(NameTests.problems(catalog: "acme, clients: { \(client) }").isEmpty == isGood)
    }

    /// Each port leads to one place.
    @Test(arguments: [
        ("a: { network: home, ports: [{ port: 8080, to: 'service:80' }, { port: 8080, to: 'service:443' }] }", "two gateways' doors"),
        (
            "a: { network: home, ports: [{ port: 8080, to: 'service:80' }] }, b: { network: home, ports: [{ port: 8080, to: 'service:443' }] }",
            "two gateways' doors"
        ),
        ("a: { network: home, exits: [{ port: 80, to: '127.0.0.1:8080' }, { port: 80, to: '127.0.0.1:8081' }] }", "two lead from port 80"),
    ]) func portsLeadToOnePlace(gateways: String, reason: String) {
        #expect(NameTests.problems(catalog: "acme }\ngateways: { \(gateways)").contains { $0.contains(reason) })
    }

    /// Sums of times must stay numbers.
    @Test func endlessTimesAreRefused() {
        #expect(!NameTests.problems(devices: "a: { network: home, call-every: 100000d }").isEmpty)
    }
}
