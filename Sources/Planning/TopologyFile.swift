import Catalogue
import Configuration
import Fabric
import Wire
import Yams

/// Reads a topology (and, on top of it, a campaign) into a plan.
struct PlanReader {
    static let topologyKeys = [
        "name", "seed", "stop", "start", "networks", "links", "service", "os", "apps", "devices", "groups", "gateways", "controls-off",
        "expect", "method", "steady-state", "measure",
    ]
    static let knownApps = ["compressor", "panel"]
    static let shortestLatency = Duration.milliseconds(1)

    let document: Document
    let catalogue: ActCatalogue
    /// Of which all devices are, whatever the file says; nil for what it says.
    let kind: DeviceKind?
    var plan: Plan
    /// Groups that the method moves devices to.
    var destinations: Set<String>
    /// What an operator decides about devices, as it stands in the file.
    var inventoryActs: [(step: Step, section: Section)] = []
    /// Steps as the file has them: one that is repeated counts once.
    var stepsRead = 0
    /// Where each step of the plan stands, by its id.
    var places: [String: YAMLNode] = [:]

    init(document: Document, catalogue: ActCatalogue, kind: DeviceKind? = nil) {
        self.document = document
        self.catalogue = catalogue
        self.kind = kind
        destinations = PlanReader.destinations(document.root)
        plan = Plan(
            name: "", file: document.file, seed: 1, clock: .virtual, epochSeconds: Plan.defaultEpochSeconds,
            stop: .start + .hours(1), networks: [], links: [], catalog: "", serviceNetwork: "",
            serviceAddress: Address(bits: 0), osVersion: Plan.defaultOSVersion, devices: [], apps: [:], groups: [:], gateways: [],
            controlsOff: [], steps: [],
            expectations: [],
            keepsKeyLog: false, capture: false)
        plan.kind = kind
    }

    mutating func readTopology(_ section: Section) {
        readHead(section)
        readNetworks(section)
        readService(section)
        readOS(section)
        readApps(section)
        readDevices(section)
        readGroups(section)
        readGateways(section)
        readClients(section)
    }

    /// Ports of this machine that lead to nodes: `gateways: { door: { network: home, ports: [{ port: 8080, to: "service:80" }] } }`,
    /// and nodes that lead to programs on this machine: `exits: [{ port: 8883, to: "127.0.0.1:8883" }]`.
    private mutating func readGateways(_ section: Section) {
        for (index, (name, key, value)) in document.named(section.fields["gateways"], "gateways").enumerated() {
            guard let entry = document.section(value, "gateway \(name)", keys: ["network", "ports", "exits", "names", "services"]) else {
                continue
            }
            if plan.devices.contains(where: { $0.name == name }) { document.report(key, "'\(name)' is taken") }
            let place = entry.required("network").flatMap(network) ?? ""
            let nodes = ["service"] + plan.devices.map(\.name)
            let doors: [GatewayConfiguration.Door] = (entry.fields["ports"]?.sequence ?? []).compactMap { item in
                guard let door = document.section(item, "a port", keys: ["port", "to"]), let port = door.count("port", in: 0...65_535),
                    let to = door.text("to", isRequired: true)
                else { return nil }
                let parts = to.split(separator: ":").map(String.init)
                guard parts.count == 2, let target = UInt16(parts[1]) else {
                    document.report(door.fields["to"], "to: expected a node and its port, such as service:80")
                    return nil
                }
                if !nodes.contains(parts[0]) {
                    document.report(door.fields["to"], "unknown node '\(parts[0])'\(document.suggestion(parts[0], among: nodes))")
                }
                return .init(port: UInt16(port), host: plan.names.host(parts[0]), targetPort: target)
            }
            let taken = plan.gateways.flatMap(\.doors).map(\.port)
            for (number, door) in doors.enumerated() where door.port > 0 && (taken + doors[..<number].map(\.port)).contains(door.port) {
                document.report(entry.fields["ports"], "ports: two gateways' doors at port \(door.port) of this machine")
            }
            let exits = readExits(entry)
            for (number, exit) in exits.enumerated() where exits[..<number].contains(where: { $0.port == exit.port }) {
                document.report(entry.fields["exits"], "exits: two lead from port \(exit.port)")
            }
            if doors.isEmpty && exits.isEmpty { document.report(key, "gateway \(name): expected 'ports' or 'exits'") }
            let names = readNames(entry)
            plan.gateways.append(
                .init(
                    name: name, network: place, address: address(place, 3 + index), doors: doors, exits: exits, names: names,
                    services: readServices(entry, host: names?.first { !$0.hasPrefix("*") } ?? plan.names.host(name))))
        }
        checkHosts(section.fields["gateways"] ?? section.fields["devices"])
    }

    private func readExits(_ entry: Section) -> [GatewayConfiguration.Exit] {
        (entry.fields["exits"]?.sequence ?? []).compactMap { item in
            guard let exit = document.section(item, "an exit", keys: ["port", "to"]), let port = exit.count("port", in: 1...65_535),
                let to = exit.text("to", isRequired: true)
            else { return nil }
            let parts = to.split(separator: ":").map(String.init)
            // The emulated network's attackers must not reach beyond this machine.
            guard parts.count == 2, parts[0] == "127.0.0.1", let target = UInt16(parts[1]), target > 0 else {
                document.report(exit.fields["to"], "to: expected a port of this machine, such as 127.0.0.1:8883")
                return nil
            }
            return .init(port: UInt16(port), targetPort: target)
        }
    }

    /// What topologies and campaigns have in common at their top.
    mutating func readHead(_ section: Section) {
        // It is a folder's name, too.
        if let name = section.text("name", isRequired: true) {
            document.isName(section.fields["name"], name)
            plan.name = name
        }
        if let seed = section.seed("seed") { plan.seed = seed }
        if let stop = section.duration("stop") { plan.stop = .start + stop }
        if let field = section.fields["start"] { readStart(field) }
        if section.word("measure", among: ["use"]) != nil { plan.measuresUse = true }
        for (word, node) in section.words("controls-off") {
            if let control = Control(rawValue: word) {
                if !plan.controlsOff.contains(control) { plan.controlsOff.append(control) }
            } else {
                document.report(
                    node, "unknown control '\(word)'\(document.suggestion(word, among: Control.allCases.map(\.rawValue)))")
            }
        }
    }

    /// `2026-01-01T00:00:00Z`; days by the civil calendar (Hinnant's algorithm).
    private mutating func readStart(_ field: YAMLNode) {
        let parts = (field.scalar?.string ?? "").split { !$0.isNumber }.compactMap { Int64($0) }
        guard parts.count == 6, (1...12).contains(parts[1]), (1...31).contains(parts[2]), parts[3] < 24,
            parts[4] < 60, parts[5] < 60, (1970...2100).contains(parts[0])
        else {
            document.report(field, "start: expected a time such as 2026-01-01T00:00:00Z")
            return
        }
        let year = parts[1] <= 2 ? parts[0] - 1 : parts[0]
        let (era, yearOfEra) = (year / 400, year % 400)
        let dayOfYear = (153 * (parts[1] + (parts[1] > 2 ? -3 : 9)) + 2) / 5 + parts[2] - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        plan.epochSeconds = days * 86_400 + parts[3] * 3600 + parts[4] * 60 + parts[5]
    }

    private mutating func readNetworks(_ section: Section) {
        for (name, _, value) in document.named(section.required("networks"), "networks") {
            guard let network = document.section(value, "network \(name)", keys: ["latency", "jitter", "bandwidth", "loss", "wifi"])
            else { continue }
            let latency = network.duration("latency", isRequired: true) ?? PlanReader.shortestLatency
            if latency < PlanReader.shortestLatency {
                document.report(network.fields["latency"], "latency: at least 1ms, the lookahead of virtual time")
            }
            var spec = NetworkSpec(
                name: name, latencyNanoseconds: latency.nanoseconds,
                jitterNanoseconds: (network.duration("jitter") ?? .zero).nanoseconds,
                bitsPerSecond: network.bitsPerSecond("bandwidth"), lossRatio: network.ratio("loss") ?? 0)
            spec.wifi = readWiFi(network)
            plan.networks.append(spec)
        }
        for item in section.fields["links"]?.sequence ?? [] {
            let ends = item.sequence?.compactMap { $0.scalar?.string } ?? []
            guard ends.count == 2 else {
                document.report(item, "links: expected pairs of networks, such as [home, cloud]")
                continue
            }
            for end in item.sequence ?? [] { _ = network(end) }
            plan.links.append(ends)
        }
    }

    private func network(_ node: YAMLNode) -> String? {
        let word = node.scalar?.string ?? ""
        let names = plan.networks.map(\.name)
        if names.contains(word) { return word }
        document.report(node, "unknown network '\(word)'\(document.suggestion(word, among: names))")
        return nil
    }

    private func address(_ network: String, _ host: Int) -> Address {
        let index = (plan.networks.firstIndex { $0.name == network } ?? 0) + 1
        return Address(bits: 10 << 24 | UInt32(index) << 16 | UInt32(host))
    }

    private mutating func readService(_ section: Section) {
        guard let service = document.section(section.required("service"), "service", keys: ["network", "catalog", "clients"]) else {
            return
        }
        plan.catalog = service.text("catalog", isRequired: true) ?? ""
        if service.has("catalog") { document.isName(service.fields["catalog"], plan.catalog) }
        if !plan.catalog.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }) {
            document.report(service.fields["catalog"], "catalog: lower-case letters, digits and '-'")
        }
        plan.serviceNetwork = service.required("network").flatMap(network) ?? ""
        plan.serviceAddress = address(plan.serviceNetwork, 2)
    }

    /// Programs that enrol with a secret: `clients: { laptop: first-use-only }`. Their certificates hold a host's name as a device's do, so
    /// that no two are called alike.
    private mutating func readClients(_ section: Section) {
        let others = (plan.devices.map(\.name) + plan.gateways.map(\.name)).map { $0.lowercased() }
        let clients = section.fields["service"]?.mapping?.first { $0.key.string == "clients" }?.value
        for (name, key, value) in document.named(clients, "clients") {
            if others.contains(name.lowercased()) { document.report(key, "'\(name)' is taken") }
            guard let secret = value.string, secret.utf8.count >= 8 else {
                document.report(value, "clients: expected a secret of at least 8 characters for \(name)")
                continue
            }
            plan.clients[name] = secret
        }
    }

    /// `os: "20.06"`: older releases have the weaknesses that were published since.
    private mutating func readOS(_ section: Section) {
        guard let text = section.text("os") else { return }
        guard Plan.isRelease(text) else {
            return document.report(section.fields["os"], "os: expected a release such as \"26.11\"")
        }
        plan.osVersion = text
    }

    /// `app-memory: 512KiB`; the chip has 4 MiB for everything.
    private func memory(_ entry: Section) -> Int? {
        guard let text = entry.text("app-memory") else { return nil }
        guard text.hasSuffix("KiB"), let size = Int(text.dropLast(3)), (64...2048).contains(size) else {
            document.report(entry.fields["app-memory"], "app-memory: expected a size from 64KiB to 2048KiB")
            return nil
        }
        return size
    }

    private mutating func readDevices(_ section: Section) {
        var hosts: [String: Int] = [:]
        var peers: [(entry: String, products: [(text: String, node: YAMLNode)])] = []
        for (name, _, value) in document.named(section.required("devices"), "devices") {
            let keys = [
                "count", "network", "product", "group", "apps", "peers", "call-every", "update-every", "defer-updates", "labels", "attach",
                "telemetry-every", "app-memory", "names", "services", "kind",
            ]
            guard let entry = document.section(value, "device \(name)", keys: keys) else { continue }
            for word in ["product", "group"] { entry.text(word).map { _ = document.isName(entry.fields[word], $0) } }
            let networks = entry.words("network").compactMap { network($0.node) }
            if entry.words("network").isEmpty { _ = entry.required("network") }
            let apps = PlanReader.knownApps + plan.apps.keys.sorted()
            for (app, node) in entry.words("apps") where !apps.contains(app) {
                document.report(node, "unknown app '\(app)'\(document.suggestion(app, among: apps))")
            }
            let ownKind = entry.word("kind", of: DeviceKind.self) ?? .mt3620
            let kind = self.kind ?? ownKind
            checkFeatures(of: kind, entry)
            let count = entry.count("count", in: 1...10_000) ?? 1
            for key in ["names", "services"] where entry.has("count") && entry.has(key) {
                document.report(entry.fields[key], "\(key): only a device without 'count' can have them")
            }
            let (names, services) = (readNames(entry), readServices(entry, host: plan.names.host(name)))
            peers.append((name, entry.words("peers")))
            guard !networks.isEmpty else { continue }
            for index in 0..<count {
                let place = networks[index % networks.count]
                hosts[place, default: 9] += 1
                plan.devices.append(
                    .init(
                        name: entry.has("count") ? "\(name)-\(index + 1)" : name, entry: name, kind: kind,
                        product: entry.text("product") ?? name, group: entry.text("group") ?? "production",
                        network: place, address: address(place, hosts[place] ?? 10), apps: entry.words("apps").map(\.text),
                        allowedProducts: [], calls: [],
                        callEveryNanoseconds: (entry.duration("call-every", atLeast: .seconds(1)) ?? .minutes(15)).nanoseconds,
                        updateEveryNanoseconds: (entry.duration("update-every", atLeast: .minutes(1)) ?? .hours(20)).nanoseconds,
                        deferUpdatesNanoseconds: (entry.duration("defer-updates") ?? .zero).nanoseconds,
                        labels: entry.words("labels").map(\.text), attachments: entry.words("attach").map(\.text),
                        appMemoryKiB: memory(entry), names: names, services: services,
                        telemetryEveryNanoseconds: entry.duration("telemetry-every", atLeast: .minutes(1))?.nanoseconds))
            }
        }
        connect(peers)
        checkNames(section.fields["devices"])
    }

    /// A count gives names that may be there already; and so does an attacker that copies a device.
    private func checkNames(_ node: YAMLNode?) {
        var seen: Set<String> = []
        for device in plan.devices {
            if !seen.insert(device.name.lowercased()).inserted { document.report(node, "two devices have the name '\(device.name)'") }
            if device.name.utf8.count > NameGrammar.longest { document.isName(node, device.name) }
        }
        for device in plan.devices {
            for copy in NameGrammar.copies where seen.contains(device.name.lowercased() + copy) {
                document.report(node, "'\(device.name + copy)' is what an attacker's copy of '\(device.name)' would be called")
            }
        }
    }

    /// A device calls all devices of its peers' entries on its own network, or all if there are none there, and
    /// serves whoever may call it.
    private mutating func connect(_ peers: [(entry: String, products: [(text: String, node: YAMLNode)])]) {
        let entries = peers.map(\.entry)
        for (entry, wanted) in peers {
            for (peer, node) in wanted {
                guard entries.contains(peer) else {
                    document.report(node, "unknown device '\(peer)'\(document.suggestion(peer, among: entries))")
                    continue
                }
                let targets = plan.devices.filter { $0.entry == peer }
                for index in plan.devices.indices where plan.devices[index].entry == entry {
                    let device = plan.devices[index]
                    let near = targets.filter { $0.network == device.network }
                    let callees = (near.isEmpty ? targets : near).map(\.name).filter { $0 != device.name }
                    plan.devices[index].calls += callees
                    allow(index, targets.map(\.product))
                }
                let callers = plan.devices.filter { $0.entry == entry }.map(\.product)
                for index in plan.devices.indices where plan.devices[index].entry == peer { allow(index, callers) }
            }
        }
    }

    private mutating func allow(_ index: Int, _ products: [String]) {
        for product in products where !plan.devices[index].allowedProducts.contains(product) {
            plan.devices[index].allowedProducts.append(product)
        }
    }
}
