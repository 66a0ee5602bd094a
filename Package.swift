// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // The tests run on what people run, in less time than unoptimized code takes; and both builds are one.
    .unsafeFlags(["-enable-testing"], .when(configuration: .release)),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

/// A system C library from Debian: a module map and a `shim.h` with only what Swift cannot call.
func system(_ name: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/\(name)", providers: [.apt([apt])])
}

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func process(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "orrery",
    products: [
        .executable(name: "orrery", targets: ["orrery"]),
        .executable(name: "orrery-device", targets: ["orrery-device"]),
        .executable(name: "orrery-service", targets: ["orrery-service"]),
        .executable(name: "orrery-threat", targets: ["orrery-threat"]),
        .executable(name: "orrery-gateway", targets: ["orrery-gateway"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        system("CZeroMQ", apt: "libzmq3-dev"),
        system("COpenSSL", apt: "libssl-dev"),
        system("CUnicorn", apt: "libunicorn-dev"),
        system("CTPMS", apt: "libtpms-dev"),
        .target(name: "CTPMPlatform", linkerSettings: [.linkedLibrary("crypto"), .linkedLibrary("tpms")]),  // libtpms's time and entropy

        // Lowest first. PURE: no clock, file, process or socket. UNSAFE: the only places with C and `unsafe`.
        .plugin(name: "VersionPlugin", capability: .buildTool(), path: "Sources/VersionPlugin"),
        .target(name: "Version", swiftSettings: strict, plugins: ["VersionPlugin"]),  // what git said at build time
        module("Wire", []),  // PURE: the protocol: all that crosses a process boundary while a run goes on
        module("Fabric", ["Wire", heap]),  // PURE: the network model and its time
        module("Catalogue", ["Wire"]),  // PURE: what a plan can ask for: attacks, faults, controls, releases
        module("Configuration", ["Wire", "Catalogue", "Fabric"]),  // PURE: what each process is told before it starts
        module("Formats", []),  // PURE: image packages, file system, CBOR/COSE, evidence
        module("Runtime", ["Wire", "CZeroMQ", logging]),  // UNSAFE: sockets, lifeline, clocks
        module("Gateway", ["Wire", "Configuration", "Runtime", logging]),  // between the emulated network and TCP on loopback
        module("SecureChannel", ["COpenSSL"]),  // UNSAFE: TLS on memory, keys, X.509
        module("TPMEvidence", ["SecureChannel"]),  // what a TPM says, and how it is appraised; needs no TPM
        module("TPM", ["CTPMS", "CTPMPlatform", "TPMEvidence", "SecureChannel", "Wire"]),  // UNSAFE: the TPM itself
        module("TUF", ["SecureChannel", "Formats"]),  // The Update Framework: what a client trusts, what a repository signs
        module("Silicon", ["CUnicorn", "SecureChannel", "Formats"]),  // UNSAFE: CPU, fuses, flash, Pluton
        module("Kernel", ["Silicon", "Formats", "SecureChannel"]),  // ARM Linux programs on the emulated A7
        module("Emulator", ["Silicon", "Formats", "Kernel"]),  // one device without a network: `orrery emulate`
        module("Exchange", ["Wire", "SecureChannel", "Formats", nioCore, nioEmbedded, nioHTTP]),  // HTTP over TLS, as values
        module("Factory", ["Wire", "Formats", "SecureChannel", "TUF", "Silicon", "TPM"]),  // signing keys, images, flash contents
        // What every kind of device does over the network, and what it asks of a kind.
        module("DeviceServices", ["Wire", "Configuration", "SecureChannel", "Exchange", "TUF", "Formats"]),
        // What boards have in common: images and settings in flash, silicon's parts as the services ask for them.
        module("BoardSupport", ["Wire", "SecureChannel", "Silicon", "Formats", "DeviceServices"]),
        module("Applications", ["Wire", "SecureChannel", "Silicon", "Kernel", "Formats", "Exchange"]),  // apps on the cores of a device
        // The device: power, boot, order. It knows no kind.
        module("DeviceOS", ["Wire", "Configuration", "Exchange", "DeviceServices", "Applications", "BoardSupport"]),
        // The chip of Azure Sphere: boot chain, recovery, sideloading.
        module("MT3620", ["Wire", "Configuration", "SecureChannel", "Silicon", "Formats", "BoardSupport"]),
        // That chip as a kind of device: with its service port and its cables.
        module("MT3620Board", ["Wire", "Exchange", "DeviceServices", "MT3620", "Applications", "DeviceOS"]),
        // A board's TPM, or a key in a file: who it is, and what has started on it.
        module("RootOfTrust", ["Wire", "SecureChannel", "Formats", "DeviceServices", "TPM", "TPMEvidence"]),
        // A commodity board that starts Linux: measured boot, A/B images.
        module("LinuxSystem", ["Wire", "Configuration", "Silicon", "Formats", "BoardSupport", "RootOfTrust"]),
        module("LinuxBoard", ["Wire", "Configuration", "DeviceServices", "Applications", "DeviceOS", "LinuxSystem"]),  // as a kind of device
        // A device of any kind, by its configuration.
        module("DeviceKinds", ["Catalogue", "Configuration", "DeviceOS", "MT3620", "MT3620Board", "LinuxBoard"]),
        // Releases, rollouts, and the repositories that sign what devices are to run (Uptane's director and image repository).
        module("UpdateDirector", ["Wire", "Configuration", "SecureChannel", "Formats", "Exchange", "TUF", grdb]),
        // Verifier, registration authority, inbox of error reports, detection.
        module("SecurityService", ["Wire", "Configuration", "SecureChannel", "Exchange", "Attestation", "UpdateDirector", grdb]),
        module("Attestation", ["Catalogue", "Formats", "SecureChannel", "TPMEvidence"]),  // PURE: evidence of every format into one attestation result
        module("Forgery", ["Formats", "SecureChannel", "TUF"]),  // PURE: what attackers make of what they stole or recorded
        module("Adversary", ["Wire", "Catalogue", "Fabric", "SecureChannel", "Exchange", "Forgery"]),  // attacks, one file each
        module("Faults", ["Wire", "Catalogue", "Fabric"]),  // PURE: what honest hardware and networks do, one file each
        module("Injector", ["Wire", "Catalogue", "Configuration", "Fabric", "Adversary", "Faults"]),  // the network as a process
        // PURE: topology and campaign files, and the plan that they resolve to.
        module("Planning", ["Wire", "Catalogue", "Configuration", "Fabric", "Formats", "SecureChannel", yams]),
        module("Judging", ["Wire", "Catalogue", "Planning", histogram]),  // PURE: what a journal proves: verdicts, metrics, expectations
        module("ReportFormats", ["Wire", "Catalogue", "Fabric", "Planning", "Judging", "SecureChannel"]),  // PURE: one file each
        module("RunFiles", ["Wire", "Planning", "Judging", "SecureChannel", "Runtime", "Version"]),  // the folder that a run leaves
        // What each process of a run starts from: keys, flash, configurations.
        module("Provisioning", ["Wire", "Catalogue", "Configuration", "Planning", "RunFiles", "Factory"]),
        // What is done to chips in hand.
        module("Lab", ["Wire", "Configuration", "Silicon", "Emulator", "Formats", "SecureChannel"]),
        // Launches, supervises and records a run.
        module("Coordinator", ["Wire", "Runtime", "Planning", "RunFiles", "Provisioning", "Lab", subprocess]),
        module("RunResults", ["Planning", "Judging", "ReportFormats", "RunFiles", "Coordinator", "Injector"]),  // judged and reported
        // The command line, a file for each command, by what commands work on.
        // What commands have in common: the person at the terminal, Ctrl-C, plans from files.
        module("CommandSupport", ["Wire", "Planning", "Injector", "RunFiles", "RunResults", "Runtime"]),
        // validate, show, run, up, replay
        module("RunCommands", ["CommandSupport", "Planning", "Provisioning", "RunFiles", "RunResults", "Wire", argumentParser]),
        // ablate, report
        module("JudgingCommands", ["CommandSupport", "Injector", "Judging", "Planning", "ReportFormats", "RunResults", argumentParser]),
        module("CatalogueCommands", ["Catalogue", "Injector", "Planning", "Wire", argumentParser]),  // attacks, faults, controls
        // What an emulated chip has of this machine: a folder, a terminal, servers, GDB, cables at its UARTs.
        module("EmulatorHost", ["Emulator", "Kernel", "Planning", "Runtime", "Silicon", "Wire", argumentParser]),
        // chips, emulate
        module("EmulatorCommands", ["CommandSupport", "Emulator", "EmulatorHost", "Formats", "Kernel", "Silicon", argumentParser]),
        // One device of a plan on the bench, and a fault at each instruction of its boot.
        module("GlitchBench", ["Emulator", "Factory", "Lab", "Planning", "Provisioning", "RunFiles"]),
        // PURE: what those faults lead to, as text, table and picture.
        module("GlitchStudies", ["Emulator", "Judging", "Planning", "ReportFormats", "Silicon"]),
        // glitch
        module("GlitchCommands", ["CommandSupport", "Emulator", "GlitchBench", "GlitchStudies", "Planning", "RunResults", argumentParser]),
        // CycloneDX: of packages, devices and Orrery itself.
        module("BillsOfMaterials", ["Formats", "Planning", "Runtime", "SecureChannel", "Version", "Wire", subprocess]),
        // image, sdk, new
        module("AppCommands", ["BillsOfMaterials", "CommandSupport", "Factory", "Formats", "RunFiles", "SecureChannel", argumentParser]),
        // evidence, sbom
        module(
            "InspectionCommands", ["BillsOfMaterials", "CommandSupport", "Formats", "Lab", "RunFiles", "SecureChannel", argumentParser]),
        module("DeviceCommands", ["CommandSupport", "Lab", "RunFiles", "Runtime", "SecureChannel", "Silicon", argumentParser]),  // device
        module("RepositoryCommands", ["CommandSupport", "RunFiles", "Runtime", "TUF", "Wire", argumentParser]),  // tuf

        process(
            "orrery",
            [
                "AppCommands", "CatalogueCommands", "CommandSupport", "DeviceCommands", "EmulatorCommands", "Factory", "GlitchCommands",
                "InspectionCommands", "JudgingCommands", "Lab", "Planning", "RepositoryCommands", "RunCommands", "RunFiles", "Version",
                argumentParser,
            ]),
        process("orrery-device", ["DeviceOS", "DeviceKinds", "Configuration", "Runtime", "SecureChannel", "Wire"]),
        process("orrery-service", ["SecurityService", "Configuration", "Runtime", "SecureChannel", "Wire"]),
        process("orrery-threat", ["Injector", "Configuration", "Runtime", "SecureChannel", "Wire"]),
        process("orrery-gateway", ["Gateway", "Configuration", "Runtime"]),

        tests("WireTests", ["Wire"]),
        tests("FabricTests", ["Fabric", "Faults", "SecureChannel", "Wire"]),
        tests("FormatsTests", ["Formats"]),
        tests("SecureChannelTests", ["SecureChannel"]),
        tests("ExchangeTests", ["Exchange", "Wire"]),
        tests("TUFTests", ["TUF", "Formats", "SecureChannel"]),
        tests("TPMTests", ["Factory", "TPM", "TPMEvidence", "SecureChannel", "Wire", subprocess]),
        tests("AttestationTests", ["Attestation", "Formats", "SecureChannel", "Silicon"]),
        tests("SiliconTests", ["Silicon", "Formats", "SecureChannel"]),
        tests("EmulatorTests", ["Emulator", "Factory", "Lab", "Silicon", "Formats", "SecureChannel"]),
        tests("KernelTests", ["Emulator", "Formats", "Kernel", "SecureChannel", "Silicon"]),
        tests(
            "CampaignTests", ["Adversary", "Catalogue", "Formats", "Injector", "Judging", "Planning", "ReportFormats", "Silicon", "Wire"]),
        // A whole fleet inside one process: the same values that the processes run.
        tests(
            "FleetTests",
            [
                "Adversary", "Applications", "Catalogue", "Configuration", "BoardSupport", "DeviceKinds", "DeviceOS", "DeviceServices",
                "Exchange", "MT3620", "MT3620Board", "Fabric", "Factory", "Faults", "Forgery",
                "Formats", "Injector", "Judging", "Lab", "Planning", "Provisioning", "ReportFormats", "RunFiles", "SecureChannel",
                "SecurityService", "Silicon", "TUF", "UpdateDirector", "Wire", grdb,
            ]),
        // The real executables.
        tests(
            "SystemTests",
            [
                "Runtime", "SecureChannel", "Wire", "orrery", "orrery-device", "orrery-service", "orrery-threat", "orrery-gateway",
                subprocess,
            ]),
        // Each border with what a seed makes of valid samples; `scripts/fuzz` runs the same for minutes.
        tests(
            "FuzzTests",
            [
                "Adversary", "Catalogue", "Emulator", "Exchange", "Formats", "Injector", "Judging", "Kernel", "Planning",
                "ReportFormats", "RunFiles", "SecureChannel", "Silicon", "TPM", "TPMEvidence", "TUF", "Wire",
            ]),
        tests("TidyTests", ["Runtime"]),
    ]
)
