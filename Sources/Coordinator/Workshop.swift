import Catalogue
import Configuration
import Emulator
import Fabric
import Factory
import Formats
import Foundation
import Judging
import Planning
import ReportFormats
import SecureChannel
import Silicon
import Wire

/// Prepares everything that a run starts from: certification authorities, signed flash, one configuration
/// file for each process.
struct Workshop {
    let plan: Plan
    let folder: RunFolder
    let guestFolder: String
    private let flash: FlashBuilder
    private let authorities: Authorities
    private let images: UpdateAuthority
    private let director: UpdateAuthority
    private var sharedSecret: String

    init(plan: Plan, folder: RunFolder, guestFolder: String) throws {
        self.plan = plan
        self.folder = folder
        self.guestFolder = guestFolder
        if plan.clock == .virtual {
            var stream = SeedStream(seed: plan.seed, node: "factory", purpose: "crypto")
            Randomness.replace { stream.bytes($0) }
        }
        authorities = try Authorities(
            catalogName: plan.catalog, serviceHost: plan.names.service, unixSeconds: plan.epochSeconds)
        images = UpdateAuthority(unixSeconds: plan.epochSeconds)
        director = UpdateAuthority(unixSeconds: plan.epochSeconds)
        let policy = DevicePolicy(
            directorRoot: Data(director.root).base64EncodedString(), imageRoot: Data(images.root).base64EncodedString(),
            verifierKey: authorities.verifierKey.key.publicKey.bytes.hex)
        flash = FlashBuilder(
            osVersion: plan.osVersion, unixSeconds: plan.epochSeconds, policy: Array(try RunFolder.encode(policy).utf8),
            loader: try Workshop.program("onebl-\(plan.bootCode)", in: guestFolder).flat(from: FlashLayout.loaderAddress))
        sharedSecret = Randomness.bytes(16).hex
    }

    /// Writes all files.
    func prepare() throws {
        try writeAuthority()
        try RunFolder.write(try Workshop.program("rom-\(plan.bootCode)", in: guestFolder).file, folder.state("rom.elf"))
        try RunFolder.write(try Workshop.program("onebl-implant", in: guestFolder).file, folder.state("implant.elf"))
        var references: Set<String> = []
        var measurements: [ReferenceMeasurement] = []
        var imageOf: [[String]: String] = [:]
        for apps in Set(plan.devices.map(\.apps)).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let product = try flash.build(apps: try apps.map { try source($0) }, roots: [authorities.root])
            let path = folder.state("base-\(apps.isEmpty ? "bare" : apps.joined(separator: "-")).flash")
            try RunFolder.write(product.flash, path)
            try writeRecovery(product.flash, of: path)
            imageOf[apps] = path
            for (type, digest) in product.measurements where references.insert("\(type) \(digest.hex)").inserted {
                measurements.append(ReferenceMeasurement(type: type, sha256: digest.hex))
            }
        }
        for gateway in gateways {
            try RunFolder.make(folder.state(gateway.name))
            try RunFolder.writeJSON(
                GatewayConfiguration(setting: setting(gateway.name), doors: gateway.doors, exits: gateway.exits),
                Workshop.configuration(folder, gateway.name))
        }
        for device in plan.devices { try write(device, image: imageOf[device.apps] ?? "") }
        try writeService(measurements)
        try RunFolder.writeJSON(threat(steps: try plan.steps.map(withReleases)), folder.state("threat.json"))
    }

    /// What a technician sends to a device with this flash content, one file after the other.
    private func writeRecovery(_ content: [UInt8], of image: String) throws {
        let path = Workshop.recoveryFolder(of: image)
        try RunFolder.make(path)
        let loader = try Workshop.program("recovery", in: guestFolder).flat(from: FlashLayout.loaderAddress)
        for file in flash.recoveryFiles(loader: loader, flash: content) { try RunFolder.write(file.content, "\(path)/\(file.name)") }
    }

    private static func recoveryFolder(of image: String) -> String { image.replacing(/\.flash$/, with: "-recovery") }

    static func recoveryFiles(of device: DeviceConfiguration) throws -> [String] {
        let folder = recoveryFolder(of: device.baseImagePath)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder), !names.isEmpty else {
            throw RunError("there is nothing to recover \(device.setting.name) with: \(folder) is not there")
        }
        return names.sorted().map { "\(folder)/\($0)" }
    }

    /// All that the service may hold: no root key, and not the key that signs boot loaders.
    private func writeAuthority() throws {
        let path = folder.state("authority")
        try RunFolder.make(path)
        var files = authorities.files
        for more in [images.files("images"), director.files("director")] { files.merge(more) { _, new in new } }
        for generation in 1...2 {
            files["sign-os-\(generation).key"] = flash.osKeys[generation - 1].scalar
            files["sign-app-\(generation).key"] = flash.appKeys[generation - 1].scalar
        }
        files["development.pub"] = flash.developmentKey.key.publicKey.bytes
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) { try RunFolder.write(bytes, "\(path)/\(name)") }
    }

    // MARK: Releases

    /// Makes the packages of a step's release, as its vendor would hand them to the service.
    private func withReleases(_ step: Step) throws -> Step {
        guard case .update(var order) = step.act else { return step }
        let packages: [[UInt8]]
        switch order.image {
        case UpdateOrder.os: packages = flash.os(version: order.version, securityVersion: securityVersion(order))
        case UpdateOrder.keystore: packages = [flash.keystore(generations: 2)]
        default: packages = [flash.app(try source(order.image, order.defect), version: UInt32(order.version) ?? 0)]
        }
        let path = folder.state("releases")
        try RunFolder.make(path)
        order.paths = packages.indices.map { "\(path)/\(step.id)-\($0 + 1).imagepackage" }
        for (package, file) in zip(packages, order.paths) { try RunFolder.write(package, file) }
        var step = step
        step.act = .update(order)
        return step
    }

    /// The factory's OS is 1; each OS that a plan releases is one more.
    private func securityVersion(_ order: UpdateOrder) -> UInt32 {
        var versions: [String] = []
        for step in plan.steps {
            if case .update(let other) = step.act, other.image == order.image, !versions.contains(other.version) {
                versions.append(other.version)
            }
        }
        return UInt32(versions.firstIndex(of: order.version) ?? 0) + 2
    }

    /// Real programs do not wait for virtual time.
    private var gateways: [Plan.Gateway] { plan.clock == .wall ? plan.gateways : [] }

    /// Where a node's configuration lies.
    static func configuration(_ folder: RunFolder, _ node: String) -> String { folder.state(node) + "/node.json" }

    private func setting(_ name: String) -> NodeSetting {
        NodeSetting(
            name: name, seed: plan.seed, clock: plan.clock, epochSeconds: plan.epochSeconds,
            keyLogPath: plan.keepsKeyLog ? folder.path + "/keys.log" : nil)
    }

    /// A program that `scripts/guest` has built.
    static func program(_ name: String, in guestFolder: String) throws -> ELFImage {
        let path = "\(guestFolder)/\(name).elf"
        guard let bytes = FileManager.default.contents(atPath: path).map(Array.init) else {
            throw RunError("'\(name)' is not built: run scripts/guest (looked for \(path))")
        }
        do { return try ELFImage(bytes) } catch { throw RunError("\(path): \(error)") }
    }

    private static func component(_ app: String) -> String {
        let digits = Array(sha256(Array("component \(app)".utf8)).hex)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }

    private func fileName(_ app: String) -> String { Workshop.guestProgram(of: app, plan) }

    private func source(_ app: String, _ defect: UpdateOrder.Defect? = nil) throws -> AppSource {
        if let own = plan.apps[app] {
            var source = try AppFile.read(own, name: app)
            if defect == .crash { source.program = try crashing(source.program, app) }
            return source
        }
        let path = "\(guestFolder)/\(fileName(app)).elf"
        guard var program = FileManager.default.contents(atPath: path).map(Array.init) else {
            throw RunError("the app '\(app)' is not built: run scripts/guest (looked for \(path))")
        }
        if defect == .crash { program = try crashing(program, path) }
        return AppSource(name: app, manifest: Workshop.manifest(of: app), program: program)
    }

    /// Of an app that comes with the testbed.
    static func manifest(of app: String) -> [UInt8] {
        let (capabilities, type) =
            app == panel
            ? (#""Gpio":[8],"AllowedTcpServerPorts":[8080]"#, "Default")
            : (#""Adc":["ADC-CONTROLLER-0"],"Pwm":["PWM-CONTROLLER-0"]"#, "RealTimeCapable")
        let manifest = """
            {"SchemaVersion":1,"Name":"\(app)","ComponentId":"\(component(app))",
            "EntryPoint":"/bin/app","CmdArgs":[],"Capabilities":{\(capabilities)},"ApplicationType":"\(type)"}
            """
        return Array(manifest.utf8)
    }

    /// The program with an undefined instruction (UDF #0) where it begins: what the vendor forgot to test.
    private func crashing(_ program: [UInt8], _ path: String) throws -> [UInt8] {
        guard let elf = try? ELFImage(program), let place = elf.fileOffset(of: elf.entry & ~1) else {
            throw RunError("\(path) is no program for a real-time core")
        }
        var changed = program
        changed.replaceSubrange(place..<place + 2, with: [0x00, 0xDE])
        return changed
    }

    private func write(_ device: Plan.Device, image: String) throws {
        let path = folder.state(device.name)
        try RunFolder.make(path)
        let work = plan.benchWork.flatMap { $0.device == device.name ? $0 : nil }
        var configuration = DeviceConfiguration(
            setting: setting(device.name), names: plan.names, product: device.product, apps: device.apps,
            allowedProducts: device.allowedProducts, peersToCall: device.calls, callEveryNanoseconds: device.callEveryNanoseconds,
            updateEveryNanoseconds: device.updateEveryNanoseconds, deferUpdatesNanoseconds: device.deferUpdatesNanoseconds,
            controlsOff: plan.controlsOff, cryptoCost: .microcontroller, baseImagePath: image, romPath: folder.state("rom.elf"),
            statePath: path, sharedSecret: sharedSecret, bootKeyHash: flash.bootKeyHash.hex)
        configuration.attachments = device.attachments.map {
            Attachments.resolved($0, inputs: AppFile.folder(of: plan), outputs: path)
        }
        configuration.appMemoryKiB = device.appMemoryKiB
        let services = plan.devices.flatMap { $0.services ?? [] } + plan.gateways.flatMap { $0.services ?? [] }
        configuration.services = services.isEmpty ? nil : services
        configuration.wifi = plan.networks.first { $0.name == device.network }?.wifi
        if let work {
            configuration.bootGlitch = work.glitch
            configuration.baseImagePath = folder.state("bench.flash")
            try RunFolder.write(try implanted(image), configuration.baseImagePath)
        }
        try RunFolder.writeJSON(configuration, Workshop.configuration(folder, device.name))
    }

    /// A flash chip in which somebody has replaced the primary copy of 1BL.
    private func implanted(_ path: String) throws -> [UInt8] {
        guard var flash = FileManager.default.contents(atPath: path).map(Array.init) else { throw RunError("cannot read \(path)") }
        let code = try Workshop.program("onebl-implant", in: guestFolder).flat(from: FlashLayout.loaderAddress)
        guard let place = Implant.place(in: flash),
            let package = Implant.package(replacing: Array(flash[place]), digest: sha256(Array(flash[place])), code: code)
        else { throw RunError("the implant does not fit into \(path)") }
        flash.replaceSubrange(place, with: package)
        return flash
    }

    private func writeService(_ measurements: [ReferenceMeasurement]) throws {
        try RunFolder.make(folder.state("service"))
        try RunFolder.writeJSON(
            ServiceConfiguration(
                setting: setting("service"), names: plan.names, controlsOff: plan.controlsOff,
                databasePath: folder.state("service") + "/service.sqlite", authorityPath: folder.state("authority"),
                referenceMeasurements: measurements, sharedSecret: sharedSecret,
                hardwareID: sha256(Array(SiliconModel.name.utf8)).hex,
                groups: Dictionary(plan.devices.map { ($0.group, plan.settings(of: $0.group)) }, uniquingKeysWith: { first, _ in first }),
                clients: plan.clients),
            Workshop.configuration(folder, "service"))
    }

    private func threat(steps: [Step]) -> ThreatConfiguration {
        let service = NodeSpec(
            name: "service", role: .service, network: plan.serviceNetwork, address: plan.serviceAddress,
            host: plan.names.service)
        let devices = plan.devices.map {
            NodeSpec(
                name: $0.name, role: .device, network: $0.network, address: $0.address, host: plan.names.host($0.name),
                names: $0.names ?? [], product: $0.product, group: $0.group)
        }
        let doors = gateways.map {
            NodeSpec(
                name: $0.name, role: .gateway, network: $0.network, address: $0.address, host: plan.names.host($0.name),
                names: $0.names ?? [])
        }
        return ThreatConfiguration(
            setting: setting("threat"), names: plan.names, networks: plan.networks, links: plan.links,
            nodes: [service] + devices + doors, steps: steps, stop: plan.stop, loot: loot, capture: plan.capture)
    }

    /// What adversaries have got hold of before the run.
    private var loot: Loot {
        func text(_ chain: [Certificate]) -> [String] { chain.map { Data($0.der).base64EncodedString() } }
        var loot = Loot()
        loot.sharedSecret = sharedSecret
        loot.expiredServiceChain = text([authorities.expired, authorities.catalog, authorities.policy])
        loot.expiredServiceKey = authorities.expiredKey.scalar.hex
        loot.catalogCAChain = text([authorities.catalog, authorities.policy])
        loot.catalogCAKey = authorities.catalogKey.scalar.hex
        if plan.devices.contains(where: { $0.apps.contains(Workshop.panel) }) {
            loot.firmware[Workshop.panel] = try? Workshop.program(fileName(Workshop.panel), in: guestFolder).file.hex
            loot.components[Workshop.panel] = Workshop.component(Workshop.panel)
        }
        for (name, authority) in [("images", images), ("director", director)] {
            // The first generation, which is in use.
            for (file, bytes) in authority.files(name) where file.hasPrefix("\(name)-1-") && file.hasSuffix(".key") {
                loot.updateKeys[file.replacing("-1-", with: "-").replacing(".key", with: "")] = bytes.hex
            }
        }
        return loot
    }
}
