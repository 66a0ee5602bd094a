public import Catalogue
public import Wire

/// Which devices are in which groups: from the beginning, and after each move.
extension Plan {
    /// With their settings: groups that devices are in, and those that only the file names.
    public var allGroups: [String: GroupSettings] {
        Dictionary(devices.map { ($0.group, settings(of: $0.group)) }, uniquingKeysWith: { first, _ in first }).merging(groups) { $1 }
    }

    /// Whether a release is for the devices of a group.
    public func isFor(_ group: String, _ order: UpdateOrder) -> Bool {
        order.terms.audience.delaySeconds(group: group, settings(of: group)) != nil
    }

    /// Devices that a release may reach: those that are in a group that it is for at any time.
    public func members(of order: UpdateOrder) -> [String] {
        let moves = steps.filter { $0.group != nil }
        return members(of: order) { device in [device.group] + moves.filter { $0.nodes.contains(device.name) }.compactMap(\.group) }
    }

    /// Devices that are in a group at an instant which a release is for.
    func members(of order: UpdateOrder, at instant: Instant) -> [String] {
        let moves = steps.filter { $0.group != nil && $0.at <= instant }.sorted { $0.at < $1.at }
        return members(of: order) { device in [moves.last { $0.nodes.contains(device.name) }?.group ?? device.group] }
    }

    private func members(of order: UpdateOrder, in groups: (Device) -> [String]) -> [String] {
        devices.filter { device in
            groups(device).contains { isFor($0, order) } && (!order.isApp || device.apps.contains(order.image))
        }.map(\.name)
    }
}
