import Configuration
import Exchange
import Wire

/// The console on port 23 that the factory used and nobody took out: a login with the product's default password,
/// and a little shell. The network firewall is what keeps people from it.
struct Console {
    private enum State { case user, password(String), shell }

    /// Bytes of a line that are kept; the rest of a longer one is nobody's.
    private static let lineLimitBytes = 256
    private static let repeatLimit = 100

    private let login: String
    private var sessions: [StreamID: (state: State, line: [UInt8])] = [:]

    init(login: String) { self.login = login }

    /// Somebody opened a connection to it.
    mutating func knocked(_ stream: StreamID, _ from: Endpoint, _ context: inout ServiceContext, _ out: inout Outbox) {
        guard context.protections.networkFirewall else { return open(stream, &out) }
        out.act(.close(stream))
        let connection = Connection(from, to: ServicePort.console)
        out.observe(
            .refusal,
            [
                .operation: "accept", .code: .text(Code.firewall.rawValue), .reason: .text(Code.firewall.words),
                .connection: .text("\(connection)"), .address: .text("\(from.address)"), .port: .number(Int64(ServicePort.console)),
            ])
        context.noteSecurity(
            .portProbed, "port \(ServicePort.console) from \(from.address)", seen: .init(connections: [connection]), at: out.now)
    }

    mutating func open(_ stream: StreamID, _ out: inout Outbox) {
        sessions[stream] = (.user, [])
        out.act(.send(stream, Array("login: ".utf8)))
    }

    mutating func handle(_ event: Event, _ out: inout Outbox) {
        switch event {
        case .received(let stream, let bytes):
            guard sessions[stream] != nil else { return }
            for byte in bytes {
                if byte == 10 {
                    let line = String(decoding: sessions[stream]?.line.filter { $0 != 13 } ?? [], as: UTF8.self)
                    sessions[stream]?.line = []
                    enter(line, on: stream, &out)
                } else if sessions[stream]?.line.count ?? 0 < Console.lineLimitBytes {
                    sessions[stream]?.line.append(byte)
                }
            }
        case .closed(let stream, _): sessions[stream] = nil
        default: break
        }
    }

    private mutating func enter(_ line: String, on stream: StreamID, _ out: inout Outbox) {
        var answer = "# "
        switch sessions[stream]?.state {
        case .user?:
            sessions[stream]?.state = .password(line)
            answer = "Password: "
        case .password(let user)?:
            let isRight = "\(user):\(line)" == login
            sessions[stream]?.state = isRight ? .shell : .user
            answer = isRight ? "# " : "Login incorrect\nlogin: "
            if isRight { out.observe(.appLog, [.app: "console", .text: .text("\(user) logged in")]) }
        case .shell?: run(line, &out)
        case nil: return
        }
        out.act(.send(stream, Array(answer.utf8)))
    }

    /// `repeat COUNT send ADDRESS PORT`: what a script needs to be of use to somebody else.
    private func run(_ line: String, _ out: inout Outbox) {
        let words = line.split(separator: " ")
        guard words.count == 5, words[0] == "repeat", words[2] == "send", let count = Int(words[1]), let port = UInt16(words[4]) else {
            return
        }
        let bytes = words[3].split(separator: ".").compactMap { UInt8($0) }
        guard bytes.count == 4 else { return }
        let address = Address(bits: bytes.reduce(0) { $0 << 8 | UInt32($1) })
        out.observe(.appLog, [.app: "console", .text: .text(line)])
        for _ in 0..<min(max(count, 0), Console.repeatLimit) {
            out.act(.datagram(fromPort: 40_000, to: Endpoint(address, port), [UInt8](repeating: 0x55, count: 32)))
        }
    }
}
