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
    let manufacturer: Manufacturer
    /// Who takes the fleet over; nil for nobody.
    let heir: Manufacturer?
    /// Nil where no device has one.
    private let tpms: TPMManufacturer?

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
        let (end, loader) = (plan.unixSeconds(at: plan.stop), try GuestProgram.loader("onebl-\(plan.bootCode)", in: guestFolder))
        manufacturer = try Manufacturer(
            catalog: plan.catalog, serviceHost: plan.names.service, osVersion: plan.osVersion, unixSeconds: plan.epochSeconds,
            until: end, rotations: plan.rotations(of: nil), loader: loader, draws: draws)
        heir = try plan.successor.map {
            try Manufacturer(
                catalog: $0.catalog, serviceHost: $0.names.service, osVersion: plan.osVersion,
                unixSeconds: plan.unixSeconds(at: plan.handOver?.at ?? .start), until: end, rotations: plan.rotations(of: $0),
                loader: loader,
                takesOver: true, draws: nil)
        }
        tpms = plan.devices.contains { $0.kind == .linuxTPM } ? try TPMManufacturer(unixSeconds: plan.epochSeconds) : nil
    }

    /// Writes all files.
    public func prepare() throws {
        try writeAuthority(manufacturer, "authority")
        if let heir { try writeAuthority(heir, "authority-\(ServiceNode.successor)") }
        for (program, file) in [("rom-\(plan.bootCode)", "rom.elf"), ("onebl-implant", "implant.elf")] {
            try RunFolder.write(try GuestProgram.read(program, in: guestFolder), folder.state(file))
        }
        var measurements = References()
        var heirs = References()
        var imageOf: [Product: String] = [:]
        for product in Set(plan.devices.map(Product.init)).sorted() {
            let made = try manufacturer.product(
                apps: try product.apps.map { try source($0) }, userland: product.isLinux ? try userland() : nil)
            let path = folder.state(product.file)
            try RunFolder.write(made.flash, path)
            if !product.isLinux { try writeRecovery(made.flash, at: DeviceConfiguration.recoveryFolder(ofImage: path)) }
            imageOf[product] = path
            measurements.add(made.measurements, product)
        }
        var media = RecoveryMedia()
        for step in plan.steps where step.act == .operate(.recover) {
            let isOver = plan.successor(at: step.at) != nil
            for (product, made) in try writeRecovery(for: step, imageOf, &media) {
                if isOver { heirs.add(made, product) } else { measurements.add(made, product) }
            }
        }
        for gateway in plan.openGateways {
            try RunFolder.make(folder.state(gateway.name))
            try RunFolder.writeJSON(
                GatewayConfiguration(setting: setting(gateway.name), doors: gateway.doors, exits: gateway.exits),
                folder.configuration(of: gateway.name))
        }
        for device in plan.devices { try write(device, image: imageOf[Product(device)] ?? "") }
        try writeService(ServiceNode.maker, plan.names, authority: "authority", measurements.all)
        if let successor = plan.successor {
            try writeService(ServiceNode.successor, successor.names, authority: "authority-\(ServiceNode.successor)", heirs.all)
        }
        try RunFolder.writeJSON(
            plan.threat(setting("threat"), steps: try plan.steps.map(withReleases), loot: loot), folder.state("threat.json"))
    }

    /// What a technician sends to a device with this flash content, one file after the other.
    func writeRecovery(_ content: [UInt8], at path: String) throws {
        try RunFolder.make(path)
        let loader = try GuestProgram.loader("recovery", in: guestFolder)
        for file in manufacturer.factory.recoveryFiles(loader: loader, flash: content) {
            try RunFolder.write(file.content, "\(path)/\(file.name)")
        }
    }

    /// All that the service may hold: no root key, and not the key that signs boot loaders.
    private func writeAuthority(_ manufacturer: Manufacturer, _ name: String) throws {
        let path = folder.state(name)
        try RunFolder.make(path)
        let files = manufacturer.serviceFiles.merging(tpms?.files ?? [:]) { $1 }
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) { try RunFolder.write(bytes, "\(path)/\(name)") }
    }

    // MARK: Releases

    /// Makes the packages of a step's release, as its vendor would hand them to the service.
    private func withReleases(_ step: Step) throws -> Step {
        var made = step
        if case .update(var order) = step.act {
            order.packages = try packages(of: order, step)
            made.act = .update(order)
        }
        if let order = step.rollout { made.rollout?.packages = try packages(of: order, step) }
        // Where a release has none before it, there is what devices left the factory with.
        if let release = plan.steps.first(where: { $0.id == step.withdrawal?.release }), case .update(let order) = release.act {
            made.withdrawal?.packages = try packages(of: factoryOrder(order), step)
        }
        return made
    }

    private func packages(of order: UpdateOrder, _ step: Step) throws -> [ReleasedPackage] {
        var packages: [(bytes: [UInt8], hardware: String)] = []
        let names = Set(plan.members(of: order))
        let members = plan.devices.filter { names.contains($0.name) }
        for product in Set((members.isEmpty ? plan.devices : members).map { Product(kind: $0.kind, apps: []) }).sorted() {
            packages += try release(order, for: product, at: step).map { ($0, product.hardwareID) }
        }
        let path = folder.state("releases")
        try RunFolder.make(path)
        let version = order.securityVersion == nil ? nil : Int64(self.version(of: order))
        let files = packages.enumerated().map {
            ReleasedPackage(path: "\(path)/\(step.id)-\($0 + 1).imagepackage", hardware: $1.hardware, version: version)
        }
        for (package, file) in zip(packages, files) { try RunFolder.write(package.bytes, file.path) }
        return files
    }

    /// What devices have of the same when they leave the factory.
    private func factoryOrder(_ order: UpdateOrder) -> UpdateOrder {
        let version = order.image == UpdateOrder.os ? plan.osVersion : "1"
        return UpdateOrder(image: order.image, version: version, terms: order.terms)
    }

    private func release(_ order: UpdateOrder, for product: Product, at step: Step) throws -> [[UInt8]] {
        // The former owner signs what hands the fleet over.
        let isOver = plan.successor(at: step.at) != nil && order.image != UpdateOrder.ownership
        let owner = isOver ? heir ?? manufacturer : manufacturer
        let factory = owner.factory
        switch order.image {
        case UpdateOrder.trustStore: return [try factory.trustStore(trust(after: step), isLinux: product.isLinux)]
        case UpdateOrder.ownership: return try factory.handOver(trust(after: step), isLinux: product.isLinux)
        case UpdateOrder.os where product.isLinux:
            return factory.linuxOS(
                version: order.version, securityVersion: securityVersion(order), userland: try userland(), defect: systemDefect(order))
        case UpdateOrder.os:
            return factory.os(version: order.version, securityVersion: securityVersion(order), defect: systemDefect(order))
        case UpdateOrder.keystore: return product.isLinux ? [] : [factory.keystore(generations: version(of: order) == 1 ? 1 : 2)]
        default:
            let (source, version) = (try source(order.image, order.defect), version(of: order))
            return [
                product.isLinux
                    ? factory.linuxApp(source, version: version, securityVersion: securityVersion(order))
                    : factory.app(source, version: version, securityVersion: securityVersion(order))
            ]
        }
    }

    private func systemDefect(_ order: UpdateOrder) -> SystemDefect? { order.defect.flatMap { SystemDefect(rawValue: $0.rawValue) } }

    func securityVersion(_ order: UpdateOrder) -> UInt32 { order.securityVersion.map(UInt32.init) ?? version(of: order) }

    /// Of all Linux boards.
    private func userland() throws -> FlashBuilder.Userland {
        FlashBuilder.Userland(busybox: try GuestProgram.busybox(beside: guestFolder), login: DeviceConfiguration.factoryLogin)
    }

    /// As a number: the factory's OS is 1, and each OS that a plan releases is one more.
    func version(of order: UpdateOrder) -> UInt32 {
        guard order.image == UpdateOrder.os else { return UInt32(order.version) ?? 0 }
        if order.version == plan.osVersion { return 1 }
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

    func source(_ app: String, _ defect: UpdateOrder.Defect? = nil) throws -> AppSource {
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
        configuration.kind = device.kind
        if let period = device.telemetryEveryNanoseconds { configuration.telemetryEveryNanoseconds = period }
        configuration.hardwareID = Product(device).hardwareID
        if device.kind == .linuxTPM { try makeTPMs(of: device, in: path) }
        configuration.attachments = device.attachments.map {
            Wiring.resolved($0, inputs: AppFiles.folder(of: plan), outputs: path)
        }
        configuration.appMemoryKiB = device.appMemoryKiB
        let services = plan.devices.flatMap { $0.services ?? [] } + plan.gateways.flatMap { $0.services ?? [] }
        configuration.services = services.isEmpty ? nil : services
        configuration.wifi = plan.wifi(of: device)
        try RunFolder.writeJSON(configuration, folder.configuration(of: device.name))
    }

    /// The board's own, and that of another board of the same make, for whoever has a board to put a copy on.
    private func makeTPMs(of device: Plan.Device, in path: String) throws {
        for (file, serial) in [("tpm.bin", device.name), (SpareBoard.file, SpareBoard.serial(of: device.name))] {
            let draws = plan.clock == .virtual ? SeedStream(seed: plan.seed, node: serial, purpose: "TPM works") : nil
            try tpms?.manufacture(at: "\(path)/\(file)", serial: serial, draws: draws)
        }
    }

    private func writeService(_ node: String, _ names: CatalogNames, authority: String, _ measurements: [ReferenceMeasurement]) throws {
        try RunFolder.make(folder.state(node))
        var configuration = ServiceConfiguration(
            setting: setting(node), names: names, controlsOff: plan.controlsOff,
            databasePath: folder.state(node) + "/service.sqlite", authorityPath: folder.state(authority),
            referenceMeasurements: measurements, sharedSecret: manufacturer.sharedSecret,
            hardware: Dictionary(
                uniqueKeysWithValues: DeviceKind.allCases.map {
                    ($0.rawValue, Manufacturer.hardwareID($0.description.hardware))
                }),
            groups: plan.allGroups,
            clients: plan.clients)
        configuration.telemetryNanoseconds = Dictionary(
            uniqueKeysWithValues: plan.devices.compactMap { device in device.telemetryEveryNanoseconds.map { (device.name, $0) } })
        try RunFolder.writeJSON(configuration, folder.configuration(of: node))
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
