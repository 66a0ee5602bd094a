import Catalogue
import Exchange
import Fabric
import Forgery
import SecureChannel
import Wire

/// A false update server: connections that targets open to the true one end here. It records what the true one
/// publishes, passes on what it likes, and answers the rest itself.
///
/// Update traffic is plain HTTP by design, so a position on the path is all that it takes. Where a kind of device has it over TLS, the
/// mirror must also pass for the service.
final class Mirror: Tap {
    enum Choice {
        /// What the true server says.
        case pass
        case serve(Response)
        /// A body that does not end.
        case endless
    }

    private enum Purpose {
        case crawl(String)
        case forward(StreamID, victim: String, path: String)
    }

    private static let patience = Duration.seconds(30)
    private static let crawlEvery = Duration.minutes(10)
    private static let endlessHead = Array(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1099511627776\r\n\r\n".utf8)
    private static let endlessChunk = [UInt8](repeating: 0x20, count: 16 << 10)
    private static let endlessEvery = Duration.milliseconds(100)
    /// Beyond this a victim that wanted kilobytes has taken what it should not.
    static let endlessSuccessBytes = 1 << 20

    let node: String
    private let targets: Set<String>
    private var host = ""
    private var victims: [Address: String] = [:]
    private var servers = ServerPool(pair: .deviceService)
    private var clients = ClientPool<Purpose>()
    private var crawlAt = Instant.never
    private var endless: [StreamID: (victim: String, connection: Connection, sent: Int)] = [:]
    private var endlessAt = Instant.never
    private var epochSeconds: Int64 = 0
    /// Targets that believe the update server for its certificate, which the mirror can only make up.
    private var overTLS: Set<String> = []
    private var forged: TLSConfiguration?

    /// What the true server published, by path.
    private(set) var recorded = RecordedRepository()
    /// Decides about each request.
    var choose: (_ victim: String, _ path: String, _ connection: Connection, _ now: Instant) -> Choice = { _, _, _, _ in .pass }
    /// Of each repository only the release that it found when it came is recorded, with ever newer timestamps.
    var pinsFirstRelease = false
    /// Goes on recording while this holds; what was recorded before stays.
    var keepsRecording: () -> Bool = { true }
    /// A path that a victim was given, and what the true server said.
    var passed: (_ victim: String, _ path: String, _ response: Response, _ now: Instant) -> Void = { _, _, _, _ in }

    init(_ step: Step, _ name: String) {
        node = "\(name)-\(step.id)"
        targets = Set(step.nodes)
    }

    func apply(_ arena: inout Arena) {
        guard let victim = targets.sorted().first, arena.attach(node, near: victim) != nil else { return }
        for target in targets.sorted() {
            if let address = arena.fabric.spec(of: target)?.address { victims[address] = target }
        }
        host = arena.names.service
        epochSeconds = arena.epochSeconds
        labels = arena.labels
        var out = Outbox(now: arena.fabric.now)
        out.act(.listen(port: ServicePort.updates))
        overTLS = targets.filter {
            arena.fabric.spec(of: $0).flatMap { DeviceKind(rawValue: $0.kind) }?.description.updateChannel == .service
        }
        if !overTLS.isEmpty {
            let identity = Interceptor.forged(hosts: [host], names: arena.names, epochSeconds: epochSeconds)
            forged = identity.flatMap { try? TLSConfiguration(role: .server, identity: $0, rule: .anybody) }
            out.act(.listen(port: ServicePort.mutual))
        }
        crawl(&out)
        arena.fabric.submit(out.effects, from: node)
        arena.tap(self)
    }

    func recover(_ arena: inout Arena) {
        arena.untap()
        arena.detach(node)
    }

    private var labels: [String: String] = [:]
    /// The path below which a victim's director metadata lies: its device ID is on its label.
    func directorPath(_ victim: String) -> String { ServiceAPI.directorPath(labels[victim] ?? "") }
    func unixSeconds(_ now: Instant) -> Int64 { epochSeconds + now.nanoseconds / 1_000_000_000 }

    var nextWake: Instant? {
        [clients.nextDeadline, servers.nextDeadline].compactMap(\.self).reduce(min(crawlAt, endlessAt), min)
    }

    func inspect(_ passage: inout Passage, now: Instant) {
        guard case .connect(let endpoint) = passage.content, targets.contains(passage.from),
            endpoint.port == (overTLS.contains(passage.from) ? ServicePort.mutual : ServicePort.updates)
        else { return }
        passage.divertedTo = node
    }

    func handle(_ event: Event, _ out: inout Outbox) {
        let locale = Locale(unixSeconds: unixSeconds(out.now), cost: .server)
        for outcome in clients.handle(event, locale: locale, &out) { finish(outcome, locale, &out) }
        clients.release(&out)
        servers.handle(
            event, locale: locale, &out,
            security: { [forged] port in port == ServicePort.mutual ? forged.map { .tls($0) } ?? .plain : .plain },
            answer: { request, caller, out in self.answer(request, caller, &out) })
        for incident in servers.takeIncidents() where !overTLS.isEmpty {
            guard let victim = victims[incident.connection.client.address] else { continue }
            out.failed("forged certificate shown", on: victim, incident.failure, incident.connection)
        }
        if case .closed(let stream, let end) = event, let (victim, connection, sent) = endless.removeValue(forKey: stream) {
            out.failed("bytes without end", on: victim, Failure(end), connection, more: [.bytes: .number(Int64(sent))])
        }
        guard case .wake = event else { return }
        if crawlAt <= out.now { crawl(&out) }
        if endlessAt <= out.now { feed(&out) }
    }

    // MARK: Recording

    private func crawl(_ out: inout Outbox) {
        crawlAt = out.now + Mirror.crawlEvery
        guard keepsRecording() else { return }
        for path in targets.sorted().map(directorPath) + [ServiceAPI.imageRepositoryPath + "/metadata"] {
            fetch("\(path)/timestamp.json", &out)
        }
    }

    private func fetch(_ path: String, _ out: inout Outbox) {
        clients.start(
            .crawl(path), Request("GET", path),
            to: .init(host: host, port: ServicePort.updates, security: .plain, pair: .deviceService), within: Mirror.patience, &out)
    }

    /// Follows what a file names: timestamp → snapshot → targets → images.
    private func record(_ path: String, _ bytes: [UInt8], _ out: inout Outbox) {
        if pinsFirstRelease, let old = recorded[path], RecordedRepository.snapshot(in: old) != RecordedRepository.snapshot(in: bytes) {
            return
        }
        let repository = ServiceAPI.imageRepositoryPath
        for named in recorded.record(path, bytes, repository: repository, targetsPath: repository + "/targets")
        where recorded[named] == nil { fetch(named, &out) }
    }

    // MARK: Answering

    private func answer(_ request: Request, _ caller: ServerPool.Caller, _ out: inout Outbox) -> Response? {
        guard let victim = victims[caller.address] else { return Response(404) }
        switch choose(victim, request.path, caller.connection, out.now) {
        case .serve(let response): return response.status == 200 ? .content(response.body, response.contentType, for: request) : response
        case .pass:
            clients.start(
                .forward(caller.stream, victim: victim, path: request.path),
                Request("GET", request.path, headers: request.headers.filter { $0.name.lowercased() == "range" }),
                to: .init(host: host, port: ServicePort.updates, security: .plain, pair: .deviceService), within: Mirror.patience, &out)
            return nil
        case .endless:
            endless[caller.stream] = (victim, caller.connection, 0)
            endlessAt = min(endlessAt, out.now + Mirror.endlessEvery)
            return nil
        }
    }

    private func finish(_ outcome: ClientPool<Purpose>.Outcome, _ locale: Locale, _ out: inout Outbox) {
        switch (outcome.purpose, outcome.result) {
        case (.crawl(let path), .response(let response)) where response.isSuccess: record(path, response.body, &out)
        case (.crawl, _): break
        case (.forward(let stream, let victim, let path), .response(let response)):
            passed(victim, path, response, out.now)
            servers.respond(response, on: stream, locale, &out)
        case (.forward(let stream, _, _), .failed): servers.respond(Response(502), on: stream, locale, &out)
        }
    }

    private func feed(_ out: inout Outbox) {
        for (stream, state) in endless.sorted(by: { $0.key < $1.key }) {
            guard servers.push(state.sent == 0 ? Mirror.endlessHead : Mirror.endlessChunk, on: stream, &out) else {
                endless[stream] = nil
                continue
            }
            let sent = state.sent + Mirror.endlessChunk.count
            endless[stream]?.sent = sent
            guard sent > Mirror.endlessSuccessBytes else { continue }
            out.succeeded(on: state.victim, "the target has taken \(sent) bytes for a file of a few kilobytes")
            out.act(.close(stream))
            endless[stream] = nil
        }
        endlessAt = endless.isEmpty ? .never : out.now + Mirror.endlessEvery
    }
}

/// What attacks with a mirror have in common: they stand in for the update server while they last.
class MirrorAttack {
    let mirror: Mirror
    /// What the mirror did, for the journal.
    var said: [Fact] = []

    required init(_ step: Step) { mirror = Mirror(step, "mirror") }

    func apply(_ arena: inout Arena) {
        mirror.choose = { [unowned self] in choose($0, $1, $2, $3) }
        mirror.apply(&arena)
    }

    func recover(_ arena: inout Arena) { mirror.recover(&arena) }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        mirror.handle(event, &out)
        for fact in said { out.act(.observe(fact)) }
        said = []
    }

    var nextWake: Instant? { mirror.nextWake }

    func choose(_ victim: String, _ path: String, _ connection: Connection, _ now: Instant) -> Mirror.Choice { .pass }

    func say(_ step: String, _ victim: String, _ connection: Connection) {
        said.append(
            Fact(
                .attackStep,
                [.step: .text(step), .target: .text(victim), .result: "served", .connection: .text("\(connection)")]))
    }

    func isMetadata(_ path: String) -> Bool { path.hasSuffix(".json") }
    func recordedOrMissing(_ path: String) -> Mirror.Choice {
        .serve(mirror.recorded[path].map { Response(200, body: $0) } ?? Response(404))
    }
}
