import Catalogue
import Configuration
import Factory
public import Planning
public import RunFiles
import Wire

/// Prepares everything that a run starts from: certification authorities, signed flash, one configuration
/// file for each process.
public struct RunProvisioner {
    let plan: Plan
    let folder: RunFolder
    let guestFolder: String
    private let manufacturer: Manufacturer

    /// Draws the keys of everybody.
    public init(plan: Plan, folder: RunFolder, guestFolder: String) throws {
        self.plan = plan
        self.folder = folder
        self.guestFolder = guestFolder
        var draws: ((Int) -> [UInt8])?
        if plan.clock == .virtual {
            var stream = SeedStream(seed: plan.seed, node: "factory", purpose: "crypto")
            draws = { stream.bytes($0) }
        }
        manufacturer = try Manufacturer(
            catalog: plan.catalog, serviceHost: plan.names.service, osVersion: plan.osVersion, unixSeconds: plan.epochSeconds,
            loader: GuestProgram.loader("onebl-\(plan.bootCode)", in: guestFolder), draws: draws)
    }

    /// Writes all files.
    public func prepare() throws {
        try writeAuthority()
        for (program, file) in [("rom-\(plan.bootCode)", "rom.elf"), ("onebl-implant", "implant.elf")] {
            try RunFolder.write(try GuestProgram.read(program, in: guestFolder), folder.state(file))
        }
        var references: Set<String> = []
        var measurements: [ReferenceMeasurement] = []
        var imageOf: [[String]: String] = [:]
        for apps in Set(plan.devices.map(\.apps)).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let product = try manufacturer.product(apps: try apps.map { try source($0) })
            let path = folder.state("base-\(apps.isEmpty ? "bare" : apps.joined(separator: "-")).flash")
            try RunFolder.write(product.flash, path)
            try writeRecovery(product.flash, of: path)
            imageOf[apps] = path
            for (type, digest) in product.measurements where references.insert("\(type) \(digest)").inserted {
                measurements.append(ReferenceMeasurement(type: type, sha256: digest))
            }
        }
        for gateway in plan.openGateways {
            try RunFolder.make(folder.state(gateway.name))
            try RunFolder.writeJSON(
                GatewayConfiguration(setting: setting(gateway.name), doors: gateway.doors, exits: gateway.exits),
                folder.configuration(of: gateway.name))
        }
        for device in plan.devices { try write(device, image: imageOf[device.apps] ?? "") }
        try writeService(measurements)
        try RunFolder.writeJSON(
            plan.threat(setting("threat"), steps: try plan.steps.map(withReleases), loot: loot), folder.state("threat.json"))
    }

    /// What a technician sends to a device with this flash content, one file after the other.
    private func writeRecovery(_ content: [UInt8], of image: String) throws {
        let path = DeviceConfiguration.recoveryFolder(ofImage: image)
        try RunFolder.make(path)
        let loader = try GuestProgram.loader("recovery", in: guestFolder)
        for file in manufacturer.factory.recoveryFiles(loader: loader, flash: content) {
            try RunFolder.write(file.content, "\(path)/\(file.name)")
        }
    }

    /// All that the service may hold: no root key, and not the key that signs boot loaders.
    private func writeAuthority() throws {
        let path = folder.state("authority")
        try RunFolder.make(path)
        for (name, bytes) in manufacturer.serviceFiles.sorted(by: { $0.key < $1.key }) { try RunFolder.write(bytes, "\(path)/\(name)") }
    }

    // MARK: Releases

    /// Makes the packages of a step's release, as its vendor would hand them to the service.
    private func withReleases(_ step: Step) throws -> Step {
        guard case .update(var order) = step.act else { return step }
        let packages: [[UInt8]]
        switch order.image {
        case UpdateOrder.os: packages = manufacturer.factory.os(version: order.version, securityVersion: securityVersion(order))
        case UpdateOrder.keystore: packages = [manufacturer.factory.keystore(generations: 2)]
        default: packages = [manufacturer.factory.app(try source(order.image, order.defect), version: UInt32(order.version) ?? 0)]
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

    private func setting(_ name: String) -> NodeSetting {
        NodeSetting(
            name: name, seed: plan.seed, clock: plan.clock, epochSeconds: plan.epochSeconds,
            keyLogPath: plan.keepsKeyLog ? folder.path + "/keys.log" : nil)
    }

    private func source(_ app: String, _ defect: UpdateOrder.Defect? = nil) throws -> AppSource {
        let source: AppSource
        var path = app
        if let own = plan.apps[app] {
            source = try AppFiles.read(own, name: app).source
        } else {
            let program = plan.guestProgram(of: app)
            path = "\(guestFolder)/\(program).elf"
            source = AppSource(
                name: app, manifest: RunProvisioner.manifest(of: app), program: try GuestProgram.read(program, in: guestFolder))
        }
        return defect == .crash ? try source.crashing(path) : source
    }

    /// Of an app that comes with the testbed.
    static func manifest(of app: String) -> [UInt8] {
        let (capabilities, type) =
            app == Plan.panel
            ? (#""Gpio":[8],"AllowedTcpServerPorts":[8080]"#, "Default")
            : (#""Adc":["ADC-CONTROLLER-0"],"Pwm":["PWM-CONTROLLER-0"]"#, "RealTimeCapable")
        let manifest = """
            {"SchemaVersion":1,"Name":"\(app)","ComponentId":"\(AppSource.component(app))",
            "EntryPoint":"/bin/app","CmdArgs":[],"Capabilities":{\(capabilities)},"ApplicationType":"\(type)"}
            """
        return Array(manifest.utf8)
    }

    private func write(_ device: Plan.Device, image: String) throws {
        let path = folder.state(device.name)
        try RunFolder.make(path)
        var configuration = DeviceConfiguration(
            setting: setting(device.name), names: plan.names, product: device.product, apps: device.apps,
            allowedProducts: device.allowedProducts, peersToCall: device.calls, callEveryNanoseconds: device.callEveryNanoseconds,
            updateEveryNanoseconds: device.updateEveryNanoseconds, deferUpdatesNanoseconds: device.deferUpdatesNanoseconds,
            controlsOff: plan.controlsOff, cryptoCost: .microcontroller, baseImagePath: image, romPath: folder.state("rom.elf"),
            statePath: path, sharedSecret: manufacturer.sharedSecret, bootKeyHash: manufacturer.bootKeyHash)
        configuration.attachments = device.attachments.map {
            Wiring.resolved($0, inputs: AppFiles.folder(of: plan), outputs: path)
        }
        configuration.appMemoryKiB = device.appMemoryKiB
        let services = plan.devices.flatMap { $0.services ?? [] } + plan.gateways.flatMap { $0.services ?? [] }
        configuration.services = services.isEmpty ? nil : services
        configuration.wifi = plan.wifi(of: device)
        try RunFolder.writeJSON(configuration, folder.configuration(of: device.name))
    }

    private func writeService(_ measurements: [ReferenceMeasurement]) throws {
        try RunFolder.make(folder.state("service"))
        try RunFolder.writeJSON(
            ServiceConfiguration(
                setting: setting("service"), names: plan.names, controlsOff: plan.controlsOff,
                databasePath: folder.state("service") + "/service.sqlite", authorityPath: folder.state("authority"),
                referenceMeasurements: measurements, sharedSecret: manufacturer.sharedSecret,
                hardwareID: Manufacturer.hardwareID,
                groups: Dictionary(plan.devices.map { ($0.group, plan.settings(of: $0.group)) }, uniquingKeysWith: { first, _ in first }),
                clients: plan.clients),
            folder.configuration(of: "service"))
    }

    /// What adversaries have got hold of before the run.
    private var loot: Loot {
        var loot = Loot()
        loot.sharedSecret = manufacturer.sharedSecret
        let found = manufacturer.stealable
        (loot.expiredServiceChain, loot.expiredServiceKey) = found.service
        (loot.catalogCAChain, loot.catalogCAKey) = found.catalog
        loot.updateKeys = found.updates
        if plan.devices.contains(where: { $0.apps.contains(Plan.panel) }) {
            loot.firmware[Plan.panel] = GuestProgram.published(plan.guestProgram(of: Plan.panel), in: guestFolder)
            loot.components[Plan.panel] = AppSource.component(Plan.panel)
        }
        return loot
    }
}
