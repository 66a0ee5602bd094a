import Foundation
import Runtime
import Testing

/// The rules of DESIGN §3, held by a test.
@Suite struct TidyTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct Source: Sendable, CustomTestStringConvertible {
        var module: String
        var path: String
        var lines: [String]
        var testDescription: String { path }
    }

    static let sources: [Source] = {
        let folder = root.appendingPathComponent("Sources")
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return names.sorted().filter { $0.hasSuffix(".swift") && !$0.hasPrefix("Guest/") }.map { name in
            let text = (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
            return Source(
                module: String(name.split(separator: "/")[0]), path: name,
                lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        }
    }()

    /// What each module may import: ours, and from outside.
    static let allowed: [String: Set<String>] = [
        "Version": [],
        "VersionPlugin": ["Foundation", "PackagePlugin"],
        // A log of observations keeps blocks for whoever reads it: behind a lock, in the coordinator alone.
        "Wire": ["FoundationEssentials", "Synchronization"],
        "Fabric": ["Wire", "HeapModule"],
        "Catalogue": ["Wire"],
        "Configuration": ["Wire", "Catalogue", "Fabric"],
        "Gateway": ["Wire", "Configuration", "Runtime", "Glibc", "Logging"],
        "Formats": ["FoundationEssentials"],
        "Runtime": ["Wire", "CZeroMQ", "Glibc", "Logging", "FoundationEssentials"],
        "SecureChannel": ["COpenSSL"],
        "TPMEvidence": ["SecureChannel", "FoundationEssentials"],
        "TPM": ["CTPMS", "CTPMPlatform", "TPMEvidence", "SecureChannel", "Wire", "Glibc", "Synchronization"],
        "TUF": ["SecureChannel", "Formats", "FoundationEssentials"],
        "Silicon": ["CUnicorn", "SecureChannel", "Formats", "Glibc", "Synchronization"],
        "Exchange": ["Wire", "SecureChannel", "Formats", "NIOCore", "NIOEmbedded", "NIOHTTP1", "FoundationEssentials"],
        "Kernel": ["Silicon", "Formats", "SecureChannel"],
        "Emulator": ["Silicon", "Formats", "Kernel"],
        "Factory": ["Wire", "Formats", "SecureChannel", "TUF", "Silicon", "TPM", "FoundationEssentials"],
        "DeviceServices": ["Wire", "Configuration", "SecureChannel", "Exchange", "TUF", "Formats"],
        "BoardSupport": ["Wire", "SecureChannel", "Silicon", "Formats", "DeviceServices"],
        "MT3620": ["Wire", "Configuration", "SecureChannel", "Silicon", "Formats", "BoardSupport"],
        "MT3620Board": ["Wire", "Exchange", "DeviceServices", "MT3620", "Applications", "DeviceOS"],
        "RootOfTrust": ["Wire", "SecureChannel", "Formats", "DeviceServices", "TPM", "TPMEvidence"],
        "LinuxSystem": ["Wire", "Configuration", "Silicon", "Formats", "BoardSupport", "RootOfTrust"],
        "LinuxBoard": ["Wire", "Configuration", "DeviceServices", "Applications", "DeviceOS", "LinuxSystem"],
        "DeviceKinds": ["Catalogue", "Configuration", "DeviceOS", "MT3620", "MT3620Board", "LinuxBoard"],
        "Applications": ["Wire", "SecureChannel", "Silicon", "Kernel", "Formats", "Exchange"],
        "DeviceOS": ["Wire", "Configuration", "Exchange", "DeviceServices", "Applications", "BoardSupport"],
        "UpdateDirector": ["Wire", "Configuration", "SecureChannel", "Formats", "Exchange", "TUF", "GRDB", "Foundation"],
        "SecurityService": ["Wire", "Configuration", "SecureChannel", "Exchange", "Attestation", "UpdateDirector", "GRDB", "Foundation"],
        "Attestation": ["Catalogue", "Formats", "SecureChannel", "TPMEvidence", "FoundationEssentials"],
        "Forgery": ["Formats", "SecureChannel", "TUF"],
        "Adversary": ["Wire", "Catalogue", "Fabric", "SecureChannel", "Exchange", "Forgery"],
        "Faults": ["Wire", "Catalogue", "Fabric"],
        "Injector": ["Wire", "Catalogue", "Configuration", "Fabric", "Adversary", "Faults"],
        "Planning": ["Wire", "Catalogue", "Configuration", "Fabric", "Formats", "SecureChannel", "Yams"],
        "Judging": ["Wire", "Catalogue", "Planning", "Histogram"],
        "ReportFormats": ["Wire", "Catalogue", "Fabric", "Planning", "Judging", "SecureChannel", "Foundation", "FoundationEssentials"],
        "RunFiles": ["Wire", "Planning", "Judging", "SecureChannel", "Runtime", "Version", "Foundation"],
        "Provisioning": ["Wire", "Catalogue", "Configuration", "Planning", "RunFiles", "Factory", "Foundation"],
        "Lab": ["Wire", "Configuration", "Silicon", "Emulator", "Formats", "SecureChannel", "Foundation"],
        "Coordinator": [
            "Wire", "Runtime", "Planning", "RunFiles", "Provisioning", "Lab", "Subprocess", "SystemPackage", "Foundation",
            "Synchronization",
        ],
        "RunResults": ["Planning", "Judging", "ReportFormats", "RunFiles", "Coordinator", "Injector"],
        "CommandSupport": ["Wire", "Planning", "Injector", "RunFiles", "RunResults", "Runtime", "Foundation", "Synchronization"],
        "RunCommands": [
            "CommandSupport", "Planning", "Provisioning", "RunFiles", "RunResults", "Wire", "ArgumentParser", "Foundation",
            "Synchronization",
        ],
        "JudgingCommands": ["CommandSupport", "Injector", "Judging", "Planning", "ReportFormats", "RunResults", "ArgumentParser"],
        "CatalogueCommands": ["Catalogue", "Injector", "Planning", "Wire", "ArgumentParser"],
        "EmulatorHost": ["Emulator", "Kernel", "Planning", "Runtime", "Silicon", "Wire", "ArgumentParser", "Foundation"],
        "EmulatorCommands": ["CommandSupport", "Emulator", "EmulatorHost", "Formats", "Kernel", "Silicon", "ArgumentParser", "Foundation"],
        "GlitchBench": ["Emulator", "Factory", "Lab", "Planning", "Provisioning", "RunFiles"],
        "GlitchStudies": ["Emulator", "Judging", "Planning", "ReportFormats", "Silicon"],
        "GlitchCommands": [
            "CommandSupport", "Emulator", "GlitchBench", "GlitchStudies", "Planning", "RunResults", "ArgumentParser", "Foundation",
        ],
        "BillsOfMaterials": [
            "Formats", "Planning", "Runtime", "SecureChannel", "Version", "Wire", "Subprocess", "SystemPackage", "Foundation",
        ],
        "AppCommands": [
            "BillsOfMaterials", "CommandSupport", "Factory", "Formats", "RunFiles", "SecureChannel", "ArgumentParser", "Foundation",
        ],
        "InspectionCommands": [
            "BillsOfMaterials", "CommandSupport", "Formats", "Lab", "RunFiles", "SecureChannel", "ArgumentParser", "Foundation",
        ],
        "DeviceCommands": [
            "CommandSupport", "Lab", "RunFiles", "Runtime", "SecureChannel", "Silicon", "ArgumentParser", "Foundation",
            "FoundationNetworking",
        ],
        "RepositoryCommands": [
            "CommandSupport", "RunFiles", "Runtime", "TUF", "Wire", "ArgumentParser", "Foundation", "FoundationNetworking",
        ],
        "orrery": [
            "AppCommands", "CatalogueCommands", "CommandSupport", "DeviceCommands", "EmulatorCommands", "Factory", "GlitchCommands",
            "InspectionCommands", "JudgingCommands", "Lab", "Planning", "RepositoryCommands", "RunCommands", "RunFiles", "Version",
            "ArgumentParser",
        ],
        "orrery-device": ["DeviceKinds", "DeviceOS", "Configuration", "Runtime", "SecureChannel", "Wire"],
        "orrery-service": ["SecurityService", "Configuration", "Runtime", "SecureChannel", "Wire"],
        "orrery-threat": ["Injector", "Configuration", "Runtime", "SecureChannel", "Wire"],
        "orrery-gateway": ["Gateway", "Configuration", "Runtime"],
    ]
    static let unsafeModules: Set = ["Runtime", "SecureChannel", "Silicon", "TPM"]
    static let pureModules: Set = [
        "Wire", "Fabric", "Faults", "Forgery", "Catalogue", "Configuration", "Formats", "Attestation", "Planning", "Judging",
        "ReportFormats", "GlitchStudies",
    ]
    static let processes: Set = ["orrery", "orrery-device", "orrery-service", "orrery-threat", "orrery-gateway"]

    @Test func thereAreSources() { #expect(Self.sources.count > 60) }

    @Test(arguments: sources) func imports(source: Source) throws {
        let allowed = try #require(Self.allowed[source.module], "module \(source.module) is not in the list")
        for line in source.lines where line.hasPrefix("import ") || line.hasPrefix("public import ") {
            let module = String(line.split(separator: " ").last ?? "")
            #expect(allowed.contains(module), "\(source.path) imports \(module)")
        }
    }

    /// Who imports everything knows everything.
    @Test func modulesKnowFewOthers() {
        for (module, imports) in Self.allowed where !Self.processes.contains(module) {
            let own = imports.filter { Self.allowed[$0] != nil }
            #expect(own.count <= 6, "\(module) imports \(own.sorted())")
        }
    }

    @Test(arguments: sources) func unsafeStaysInItsModules(source: Source) {
        guard !Self.unsafeModules.contains(source.module) else { return }
        for (number, line) in source.lines.enumerated() where line.contains("unsafe") {
            let code = line.split(separator: "//", omittingEmptySubsequences: false).first ?? ""
            #expect(code.firstMatch(of: /\bunsafe\b/) == nil, "\(source.path):\(number + 1)")
        }
    }

    @Test(arguments: sources) func pureModulesTouchNothing(source: Source) {
        guard Self.pureModules.contains(source.module) else { return }
        let words = [
            "FileManager", "Date()", "ContinuousClock", "SuspendingClock", "Process(", "Thread", "SystemRandomNumberGenerator",
            ".random(in", "getenv",
        ]
        for word in words {
            #expect(!source.lines.contains { $0.contains(word) }, "\(source.path) has \(word)")
        }
    }

    /// Nodes have no clock, no concurrency and no unseeded randomness.
    @Test(arguments: sources) func nodesStayDeterministic(source: Source) {
        guard
            [
                "DeviceOS", "DeviceServices", "MT3620", "Applications", "SecurityService", "UpdateDirector", "Adversary", "Faults",
                "Forgery", "Injector",
                "Exchange", "Fabric", "Wire", "Silicon",
                "Formats", "TUF", "TPM", "TPMEvidence", "Attestation",
            ].contains(source.module)
        else { return }
        for word in [
            "Date()", "ContinuousClock", "Task {", "async ", "await ", "DispatchQueue", "SystemRandomNumberGenerator", ".random(in",
            ".shuffled()", "UUID()",
        ] {
            #expect(!source.lines.contains { $0.contains(word) }, "\(source.path) has \(word)")
        }
    }

    @Test(arguments: sources) func noAttackKnowsTheControls(source: Source) {
        guard ["Adversary", "Forgery", "Faults", "Injector"].contains(source.module) else { return }
        for word in ["controlsOff", "Control.", "[Control]", "isOff("] {
            #expect(!source.lines.contains { $0.contains(word) }, "\(source.path) has \(word)")
        }
    }

    @Test(arguments: sources) func sizes(source: Source) {
        #expect(source.lines.count <= (Self.processes.contains(source.module) ? 100 : 500), "\(source.path)")
        // A function begins at `func` or `init` and ends at the brace in its column.
        var begin: (line: Int, indent: Int)?
        for (number, line) in source.lines.enumerated() {
            let indent = line.prefix { $0 == " " }.count
            if let (start, depth) = begin {
                if indent == depth && line.dropFirst(indent).hasPrefix("}") {
                    #expect(number - start < 70, "\(source.path):\(start + 1) has \(number - start + 1) lines")
                    begin = nil
                } else if indent < depth && line.dropFirst(indent).hasPrefix("}") {
                    // What a protocol asks for has no body: its end is the protocol's.
                    begin = nil
                }
            } else if line.contains("func ") || line.contains("init"), !line.hasSuffix("}"),
                line.firstMatch(
                    of: /^\s*(@\w+ )*((public|private|fileprivate|static|mutating|convenience|override) )*(func |init[(?])/) != nil
            {
                begin = (number, indent)
            }
        }
    }

    /// Each module says what it is for, and what its catalogue says of files and modules is so; `scripts/docs` builds them.
    @Test func modulesHaveTheirCatalogues() throws {
        func list(_ modules: some Sequence<String>) -> String {
            let names = modules.sorted().map { "`\($0)`" }
            return names.isEmpty ? "none of ours" : names.joined(separator: ", ")
        }
        let modules = Self.allowed.filter { !Self.processes.contains($0.key) && $0.key != "VersionPlugin" }
        for (module, imports) in modules {
            let folder = Self.root.appendingPathComponent("Sources/\(module)")
            let page = folder.appendingPathComponent("\(module).docc/\(module).md")
            let text = try #require(try? String(contentsOf: page, encoding: .utf8), "there is no \(page.path)")
            let lines = text.split(separator: "\n").map(String.init)
            #expect(lines.first == "# ``\(module)``")
            let users = Self.allowed.filter { $0.value.contains(module) }.keys
            for line in ["Imports: \(list(imports.filter { Self.allowed[$0] != nil })).", "Used by: \(list(users))."] {
                #expect(lines.contains(line), "\(module).md lacks the line \(line)")
            }
            for part in ["### Reading order", "### Tests", "### What it does not do"] {
                #expect(lines.contains(part), "\(module).md lacks \(part)")
            }
            for line in lines {
                guard line.first?.isNumber == true, let file = line.split(separator: "`").dropFirst().first else { continue }
                #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent(String(file)).path), "\(module): \(file)")
            }
        }
    }

    @Test func topLevelStaysSmall() throws {
        let allowed: Set = [
            "Package.swift", "Sources", "Tests", "Topologies", "scripts", "docs", "README.md", "LICENSE", "NOTICE", ".git",
            "CHANGELOG.md", "CONTRIBUTING.md", ".gitignore",
            ".swift-format", ".swift-version", ".ci", ".build", "runs", "Package.resolved", "docker-compose.yml",
        ]
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.root.path) {
            #expect(allowed.contains(name) || name.hasPrefix(".build"), "\(name) at the top level")
        }
    }

    private func libraries(_ process: String) throws -> String {
        let ldd = Process()
        ldd.executableURL = URL(fileURLWithPath: "/usr/bin/ldd")
        ldd.arguments = [Machine.executableFolder + "/" + process]
        let pipe = Pipe()
        ldd.standardOutput = pipe
        try ldd.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        ldd.waitUntilExit()
        return text
    }

    /// A verifier appraises what TPMs say, and has none.
    @Test(arguments: ["orrery-service", "orrery-threat", "orrery-gateway"]) func onlyDevicesHaveATPM(process: String) throws {
        let text = try libraries(process)
        #expect(text.contains("libc.so") && !text.contains("libtpms"), "\(process)")
    }

    /// Foundation doubles the resident size of a device and brings ICU with it.
    @Test func devicesDoNotLoadFoundation() throws {
        let text = try libraries("orrery-device")
        #expect(text.contains("libFoundationEssentials.so"))
        #expect(!text.contains("libFoundation.so"))
    }
}
