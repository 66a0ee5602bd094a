import Wire

/// What nodes make of their own links: up or down, with the address that the network gives or one of their own.
extension Fabric {
    /// Networks are 16 bits wide.
    private static var hostBits: UInt32 { 16 }

    /// An address that is not of the node's network, or somebody else's, leads nowhere.
    mutating func setLink(isUp: Bool, _ wanted: Address?, of node: String) {
        guard let attached = nodes[node] else { return }
        let address = wanted ?? attached.assigned
        let isOfNetwork = address.bits >> Fabric.hostBits == attached.assigned.bits >> Fabric.hostBits
        let isFree = nodeAt[address] == nil || nodeAt[address] == node
        let isLinked = isUp && isOfNetwork && isFree
        guard isLinked != attached.isLinked || isLinked && address != attached.spec.address else { return }
        nodes[node]?.isLinked = isLinked
        if isLinked, address != attached.spec.address { renumber(node, to: address) }
        pathCache = [:]
    }

    /// Connections do not outlast their address.
    private mutating func renumber(_ node: String, to address: Address) {
        guard let spec = nodes[node]?.spec else { return }
        for number in (streamOf[node] ?? [:]).values.sorted() {
            guard let side = streams[number]?.side(of: node) else { continue }
            drop(number, tell: side, .reset, trips: 1)
        }
        nodeAt[spec.address] = nil
        nodeAt[address] = node
        nodes[node]?.spec.address = address
        for name in [spec.host] + spec.names { addressOf[name.lowercased()] = address }
    }
}
