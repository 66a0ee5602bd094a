public import Catalogue
public import Configuration
import Fabric
public import Wire

extension Plan {
    /// Real programs do not wait for virtual time.
    public var openGateways: [Gateway] { clock == .wall ? gateways : [] }

    /// What a device hears of its network on the air; nil for the one that devices are made for.
    public func wifi(of device: Device) -> WiFi? { networks.first { $0.name == device.network }?.wifi }

    /// What the network's process is told.
    public func threat(_ setting: NodeSetting, steps: [Step], loot: Loot) -> ThreatConfiguration {
        var services = [
            NodeSpec(name: ServiceNode.maker, role: .service, network: serviceNetwork, address: serviceAddress, host: names.service)
        ]
        if let successor, let handOver {
            services.append(
                NodeSpec(
                    name: ServiceNode.successor, role: .service, network: successor.network, address: successor.address,
                    host: successor.names.service, powerOnNanoseconds: handOver.at.nanoseconds))
        }
        let devices = devices.map {
            NodeSpec(
                name: $0.name, role: .device, network: $0.network, address: $0.address, host: names.host($0.name),
                names: ($0.names ?? []) + hosts(of: $0.name).dropFirst(), product: $0.product, group: $0.group, kind: $0.kind.rawValue)
        }
        let doors = openGateways.map {
            NodeSpec(
                name: $0.name, role: .gateway, network: $0.network, address: $0.address, host: names.host($0.name),
                names: $0.names ?? [])
        }
        return ThreatConfiguration(
            setting: setting, names: names, networks: networks, links: links, nodes: services + devices + doors, steps: steps, stop: stop,
            loot: loot, capture: capture, measuresUse: measuresUse ?? false, successorNames: successor?.names)
    }
}
