import Wire

extension Fabric {
    /// For each pair of networks the networks on the shortest way, by breadth-first search in sorted order.
    static func routes(networks: [String], links: [[String]]) -> [String: [String: [String]]] {
        var neighbours: [String: Set<String>] = [:]
        for link in links where link.count == 2 {
            neighbours[link[0], default: []].insert(link[1])
            neighbours[link[1], default: []].insert(link[0])
        }
        var routes: [String: [String: [String]]] = [:]
        for origin in networks {
            var found: [String: [String]] = [origin: [origin]]
            var frontier = [origin]
            while !frontier.isEmpty {
                var next: [String] = []
                for network in frontier {
                    for neighbour in (neighbours[network] ?? []).sorted() where found[neighbour] == nil {
                        found[neighbour] = (found[network] ?? []) + [neighbour]
                        next.append(neighbour)
                    }
                }
                frontier = next
            }
            routes[origin] = found
        }
        return routes
    }

    /// The conditions between two nodes now; nil if no chain of links joins their networks.
    mutating func path(from: String, to: String) -> Path? {
        if let known = pathCache[from]?[to] { return known }
        guard let a = nodes[from]?.spec, let b = nodes[to]?.spec,
            let route = routes[a.network]?[b.network]
        else { return nil }
        var path = Path()
        let active = faults.sorted { $0.key < $1.key }
        for network in route {
            var conditions = LinkConditions(networks[network] ?? NetworkSpec(name: network, latencyNanoseconds: 0))
            for (id, fault) in active where fault.sides == nil && fault.networks.contains(network) {
                fault.apply(to: &conditions, id, &path)
            }
            if conditions.cut && route.count > 1 { path.cut = true }
            path.join(conditions)
        }
        if nodes[from]?.isLinked == false || nodes[to]?.isLinked == false { path.cut = true }
        for (id, fault) in active {
            let times = fault.sides == nil ? [from, to].count(where: fault.nodes.contains) : fault.concerns(from: a, to: b) ? 1 : 0
            for _ in 0..<times {
                var conditions = LinkConditions(NetworkSpec(name: "", latencyNanoseconds: 0))
                fault.apply(to: &conditions, id, &path)
                if conditions.cut { path.cut = true }
                path.join(conditions)
            }
        }
        pathCache[from, default: [:]][to] = path
        return path
    }

    /// Sends packets once. Returns when the last of them arrives and how many were lost on the way.
    mutating func carry(bytes: Int, packets: Int, from: String, to: String) -> (arrival: Instant, lost: Int)? {
        guard let path = path(from: from, to: to), !path.cut, nodes[to]?.isUp == true else { return nil }
        var departure = now
        if let rate = path.bitsPerSecond, rate > 0 {
            let busy = Duration.nanoseconds(
                Int64(Double(bytes + packets * Fabric.headerBytes) * 8e9 / Double(rate)))
            departure = max(now, nodes[from]?.egressFreeAt ?? now) + busy
            nodes[from]?.egressFreeAt = departure
        }
        var lost = 0
        var arrival = departure + path.latency
        // A message that is a packet longer shifts no draw, neither its own jitter nor any later one.
        withDraws(from, to) { stream in
            var draws = stream.branch()
            if path.jitter > .zero { arrival = arrival + draws.duration(upTo: path.jitter) }
            if path.loss > 0 { for _ in 0..<packets where draws.unit() < path.loss { lost += 1 } }
        }
        return (arrival, lost)
    }

    private mutating func withDraws<T>(_ from: String, _ to: String, _ body: (inout SeedStream) -> T) -> T {
        var draws = nodes[from]?.draws[to] ?? SeedStream(seed: seed, node: from, purpose: "network to \(to)")
        defer { nodes[from]?.draws[to] = draws }
        return body(&draws)
    }

    /// IPv4 and TCP headers, without options.
    static var headerBytes: Int { 40 }
    /// Ethernet's 1,500 bytes less the headers.
    static var payloadBytes: Int { 1460 }

    static func packets(for bytes: Int) -> Int { max(1, (bytes + payloadBytes - 1) / payloadBytes) }

    // MARK: Datagrams and look-ups

    mutating func sendDatagram(_ bytes: [UInt8], from: String, port: UInt16, to: Endpoint) {
        guard let target = nodeAt[to.address], let source = nodes[from]?.spec.address else {
            countDrop()
            return
        }
        let passage = pass(.datagram(bytes, to: to), from: from, to: target)
        guard case .datagram(var bytes, let to) = passage.content, !passage.dropped,
            let path = path(from: from, to: target)
        else { return }
        if path.cut { for fault in path.cutBy { tell(fault, from: from, to: target) } }
        if !path.toxics.isEmpty { bytes = damaged(bytes, from: from, to: target, path.toxics) }
        let (isLate, isTwice) = withDraws(from, "\(target) datagrams") { draws in
            (draws.unit() < path.reordering, draws.unit() < path.duplication)
        }
        for _ in 0..<(isTwice ? 2 : 1) {
            guard
                let (arrival, lost) = carry(
                    bytes: bytes.count, packets: Fabric.packets(for: bytes.count), from: from, to: target), lost == 0
            else { continue }
            // Late by more than what is sent within the next two latencies takes to overtake it.
            let time = isLate ? arrival + path.latency * 2 : arrival
            deliver(.datagram(port: to.port, from: Endpoint(source, port), bytes), to: target, at: time, from: .node(from))
        }
    }

    /// Names are the same in any case (RFC 4343). A name that nobody has is that of the closest wildcard (RFC 4592).
    func address(of name: String) -> Address? {
        var name = name.lowercased()[...]
        if let address = addressOf[String(name)] { return address }
        while let dot = name.firstIndex(of: ".") {
            name = name[name.index(after: dot)...]
            if let address = addressOf["*.\(name)"] { return address }
        }
        return nil
    }

    /// The resolver sits in the network of the name that is asked for; a client asks five times, a second apart.
    mutating func lookUp(node: String, query: UInt32, name: String, attempt: Int) {
        let truth = address(of: name)
        let passage = pass(.lookup(name: name, answer: truth), from: node, to: nil)
        guard case .lookup(_, let answer) = passage.content else { return }
        let owner = truth.flatMap { nodeAt[$0] }
        let reachable = owner.map { owner in
            self.path(from: node, to: owner).map { !$0.cut && $0.resolves } ?? false
        }
        let path = owner.flatMap { self.path(from: node, to: $0) } ?? Path()
        let lost = withDraws(node, "resolver") { $0.unit() } < path.loss
        let back = hasSides ? owner.flatMap { self.path(from: $0, to: node) } : nil
        if passage.dropped || reachable == false || lost || back.map({ $0.cut || !$0.resolves }) ?? false {
            if attempt >= 4 {
                for fault in path.cutBy + (back?.cutBy ?? []).filter({ !path.cutBy.contains($0) }) { tell(fault, lookUp: name, of: node) }
                deliver(.unanswered(query: query), to: node, at: now, from: .network)
            } else {
                push(
                    .lookUpAgain(node: node, life: lives[node] ?? 0, query: query, name: name, attempt: attempt + 1),
                    at: now + .seconds(1), source: .node(node))
            }
            return
        }
        let roundTrip = max(path.latency, lookahead) * 2
        deliver(.resolved(query: query, answer), to: node, at: now + roundTrip, from: .network)
    }
}

extension Fabric.ActiveFault {
    /// Conditions with the fault's hand in them, and in the path which fault it was.
    fileprivate func apply(to conditions: inout LinkConditions, _ id: String, _ path: inout Path) {
        let (known, wasCut, resolved) = (conditions.toxics.count, conditions.cut, conditions.resolves)
        fault.apply(to: &conditions)
        for index in known..<conditions.toxics.count { conditions.toxics[index].fault = id }
        let hasCut = sides != nil && conditions.cut && !wasCut
        if hasCut || resolved && !conditions.resolves, !path.cutBy.contains(id) { path.cutBy.append(id) }
    }
}
