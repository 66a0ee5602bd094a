import Exchange
import Fabric
public import Wire

extension AttackName { public static let botnet = AttackName("botnet") }

/// What a compromised device in a home does to its neighbours, as the botnets of 2016 and later have been described:
/// scan two ports, try default passwords, report, load, flood on command. Behaviour only.
final class Botnet: Attack {
    static let description = AttackDescription(
        name: .botnet,
        summary: "logs in to what answers on ports 23 and 2323 with default passwords, and floods on command",
        mechanism:
            "From a node in the targets' home it scans the network, tries about sixty default passwords wherever a console answers, reports what it got into, loads a script there and has it send datagrams to a victim.",
        needs: "one compromised device in the targets' network",
        oracle: "a target sends what the bot told it to",
        techniques: ["T0812 Default Credentials"], threats: ["TID-311", "TID-405"],
        controls: [.networkFirewall], rules: [.deniedConnections])

    private struct Visit {
        var address: Address
        var port: UInt16
        var attempt = 0
        var heard = ""
        var isIn = false
    }

    private static let ports: [UInt16] = [23, 2323]
    private static let hosts: ClosedRange<UInt32> = 1...60
    private static let pause = Duration.milliseconds(500)
    private static let perWake = 6
    private static let users = ["root", "admin", "support", "user", "guest", "service"]
    private static let passwords = ["xc3511", "admin", "root", "default", "12345", "password", "1234", "guest", "support", "666666"]
    /// About sixty pairs, the users' favourites first.
    private static let logins = users.flatMap { user in passwords.map { (user: user, password: $0) } }
    private static let floodPort: UInt16 = 4000

    private let id: String
    private let sink: String
    private let targets: Set<String>
    private var names: [Address: String] = [:]
    private var sinkAddress = Address(bits: 0)
    private var queue: [Endpoint] = []
    private var visits: [StreamID: Visit] = [:]
    private var nextStream: UInt32 = 1
    private var flooding: Set<Address> = []
    private(set) var nextWake: Instant?

    init(_ step: Step) {
        id = "bot-\(step.id)"
        sink = "flooded-\(step.id)"
        targets = Set(step.nodes)
    }

    func apply(_ arena: inout Arena) {
        guard let victim = targets.sorted().first, let own = arena.attach(id, near: victim),
            let victimOfFlood = arena.attach(sink, near: victim)
        else { return }
        sinkAddress = victimOfFlood.address
        for target in targets.sorted() { if let address = arena.fabric.spec(of: target)?.address { names[address] = target } }
        let network = own.address.bits & 0xFFFF_0000
        queue = Botnet.hosts.flatMap { host in Botnet.ports.map { Endpoint(Address(bits: network | host), $0) } }
        nextWake = arena.fabric.now + Botnet.pause
    }

    func recover(_ arena: inout Arena) {
        nextWake = nil
        arena.detach(id)
        arena.detach(sink)
    }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        switch event {
        case .wake where node == id: scan(&out)
        case .received(let stream, let bytes): heard(stream, String(decoding: bytes, as: UTF8.self), &out)
        case .closed(let stream, _):
            guard let visit = visits.removeValue(forKey: stream), let name = names[visit.address], visit.port == Botnet.ports[0] else {
                return
            }
            guard !visit.isIn else { return }
            if visit.attempt > 0 { out.failed("login", on: name, Failure(.notAuthenticated, "\(visit.attempt) passwords were wrong"), nil) }
        case .datagram(Botnet.floodPort, let from, _):
            guard node == sink, let name = names[from.address], flooding.insert(from.address).inserted else { return }
            out.succeeded(on: name, "\(name) sends what the bot told it to")
        default: break
        }
    }

    private func scan(_ out: inout Outbox) {
        for endpoint in queue.prefix(Botnet.perWake) {
            let stream = StreamID(raw: nextStream)
            nextStream += 1
            visits[stream] = Visit(address: endpoint.address, port: endpoint.port)
            out.act(.connect(stream, to: endpoint))
        }
        queue.removeFirst(min(Botnet.perWake, queue.count))
        nextWake = queue.isEmpty ? nil : out.now + Botnet.pause
    }

    private func heard(_ stream: StreamID, _ text: String, _ out: inout Outbox) {
        guard var visit = visits[stream] else { return }
        visit.heard = String((visit.heard + text).suffix(64))
        let line: String?
        if visit.heard.hasSuffix("login: ") {
            line = visit.attempt < Botnet.logins.count ? Botnet.logins[visit.attempt].user : nil
        } else if visit.heard.hasSuffix("Password: ") {
            line = Botnet.logins[visit.attempt].password
            visit.attempt += 1
        } else if visit.heard.hasSuffix("# ") && !visit.isIn {
            visit.isIn = true
            let login = Botnet.logins[visit.attempt - 1]
            out.observe(
                .attackStep,
                [
                    .step: "login", .target: .text(names[visit.address] ?? "\(visit.address)"), .result: "accepted",
                    .text: .text("\(login.user):\(login.password) on port \(visit.port)"),
                ])
            line = "repeat 20 send \(sinkAddress) \(Botnet.floodPort)"
        } else {
            visits[stream] = visit
            return
        }
        visit.heard = ""
        visits[stream] = visit
        if let line { out.act(.send(stream, Array("\(line)\n".utf8))) } else { out.act(.close(stream)) }
    }
}
