import Campaign
import Factory
import Foundation
import SecureChannel
import Wire

/// Prepares everything that a run starts from: certification authorities, signed flash, one configuration
/// file for each process.
struct Workshop {
    static let osVersion = "26.11"

    let plan: Plan
    let folder: RunFolder
    let guestFolder: String
    private let flash: FlashBuilder
    private let authorities: Authorities
    private var sharedSecret: String

    init(plan: Plan, folder: RunFolder, guestFolder: String) throws {
        self.plan = plan
        self.folder = folder
        self.guestFolder = guestFolder
        if plan.clock == .virtual {
            var stream = SeedStream(seed: plan.seed, node: "factory", purpose: "crypto")
            Randomness.replace { stream.bytes($0) }
        }
        flash = FlashBuilder(osVersion: Workshop.osVersion, unixSeconds: plan.epochSeconds)
        authorities = try Authorities(
            catalogName: plan.catalog, serviceHost: plan.names.service, unixSeconds: plan.epochSeconds)
        sharedSecret = Randomness.bytes(16).hex
    }

    /// Writes all files.
    func prepare() throws {
        let authorityPath = folder.state("authority")
        try RunFolder.make(authorityPath)
        for (name, bytes) in authorities.files.sorted(by: { $0.key < $1.key }) {
            try RunFolder.write(bytes, "\(authorityPath)/\(name)")
        }
        var references: Set<String> = []
        var measurements: [ReferenceMeasurement] = []
        var imageOf: [[String]: String] = [:]
        for apps in Set(plan.devices.map(\.apps)).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let product = try flash.build(apps: try apps.map(source), roots: [authorities.root])
            let path = folder.state("base-\(apps.isEmpty ? "bare" : apps.joined(separator: "-")).flash")
            try RunFolder.write(product.flash, path)
            imageOf[apps] = path
            for (type, digest) in product.measurements where references.insert("\(type) \(digest.hex)").inserted {
                measurements.append(ReferenceMeasurement(type: type, sha256: digest.hex))
            }
        }
        for device in plan.devices { try write(device, image: imageOf[device.apps] ?? "") }
        try writeService(measurements)
        try RunFolder.writeJSON(threat, folder.state("threat.json"))
    }

    /// Where a node's configuration lies.
    static func configuration(_ folder: RunFolder, _ node: String) -> String { folder.state(node) + "/node.json" }

    /// New silicon with a copy of another device's flash, set up to be that device.
    static func clone(_ victim: String, as name: String, folder: RunFolder) throws {
        let data = FileManager.default.contents(atPath: configuration(folder, victim)) ?? Data()
        var device = try JSONDecoder().decode(DeviceConfiguration.self, from: data)
        device.setting.name = name
        device.statePath = folder.state(name)
        try RunFolder.make(device.statePath)
        try? FileManager.default.removeItem(atPath: device.statePath + "/flash.bin")
        try FileManager.default.copyItem(
            atPath: folder.state(victim) + "/flash.bin", toPath: device.statePath + "/flash.bin")
        try RunFolder.writeJSON(device, configuration(folder, name))
    }

    private func setting(_ name: String) -> NodeSetting {
        NodeSetting(
            name: name, seed: plan.seed, clock: plan.clock, epochSeconds: plan.epochSeconds,
            keyLogPath: plan.keepsKeyLog ? folder.path + "/keys.log" : nil)
    }

    private func source(_ app: String) throws -> AppSource {
        let path = "\(guestFolder)/\(app).elf"
        guard let program = FileManager.default.contents(atPath: path) else {
            throw RunError("the app '\(app)' is not built: run scripts/guest (looked for \(path))")
        }
        let component = sha256(Array("component \(app)".utf8)).hex
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { range in
            String(Array(component)[range])
        }
        let manifest = """
            {"SchemaVersion":1,"Name":"\(app)","ComponentId":"\(groups.joined(separator: "-"))",
            "EntryPoint":"/bin/app","CmdArgs":[],"Capabilities":{"Adc":["ADC-CONTROLLER-0"],
            "Pwm":["PWM-CONTROLLER-0"]},"ApplicationType":"RealTimeCapable"}
            """
        return AppSource(name: app, manifest: Array(manifest.utf8), program: Array(program))
    }

    private func write(_ device: Plan.Device, image: String) throws {
        let path = folder.state(device.name)
        try RunFolder.make(path)
        try RunFolder.writeJSON(
            DeviceConfiguration(
                setting: setting(device.name), names: plan.names, product: device.product, apps: device.apps,
                allowedProducts: device.allowedProducts, peersToCall: device.calls,
                callEveryNanoseconds: device.callEveryNanoseconds, controlsOff: plan.controlsOff,
                cryptoCost: .microcontroller, baseImagePath: image, statePath: path, sharedSecret: sharedSecret,
                bootKeyHash: flash.bootKeyHash.hex), Workshop.configuration(folder, device.name))
    }

    private func writeService(_ measurements: [ReferenceMeasurement]) throws {
        try RunFolder.make(folder.state("service"))
        try RunFolder.writeJSON(
            ServiceConfiguration(
                setting: setting("service"), names: plan.names, controlsOff: plan.controlsOff,
                databasePath: folder.state("service") + "/service.sqlite", authorityPath: folder.state("authority"),
                referenceMeasurements: measurements, sharedSecret: sharedSecret),
            Workshop.configuration(folder, "service"))
    }

    private var threat: ThreatConfiguration {
        let service = NodeSpec(
            name: "service", role: .service, network: plan.serviceNetwork, address: plan.serviceAddress,
            host: plan.names.service)
        let devices = plan.devices.map {
            NodeSpec(
                name: $0.name, role: .device, network: $0.network, address: $0.address, host: plan.names.host($0.name),
                product: $0.product, group: $0.group)
        }
        return ThreatConfiguration(
            setting: setting("threat"), names: plan.names, networks: plan.networks, links: plan.links,
            nodes: [service] + devices, steps: plan.steps, stop: plan.stop, stolenSecret: sharedSecret,
            capture: plan.capture)
    }
}
