import Applications
import DeviceServices
import Exchange
import MT3620
import Wire

/// The device's REST interface, on the cable in its service port: what the original's command line speaks to a device (REST-1).
struct RESTServer {
    private struct Refused: Encodable { var error: String }
    private struct AppState: Encodable {
        var componentId: String
        var name: String
        /// running, stopped or notPresent.
        var state: String
        var core: String

        init(_ state: AppHost.State) {
            (componentId, name, core) = (state.component, state.name, state.core)
            self.state = state.isStopped ? "stopped" : "running"
        }

        init(absent: String) { (componentId, name, state, core) = (absent, "", "notPresent", "") }
    }
    private struct AppMemory: Encodable {
        var name: String
        var usedKiB: Int
    }
    private struct Wanted: Decodable { var state: String }

    /// What an app may take of the flash (APP-5).
    private static let longestImageBytes = 1 << 20
    private var connections = ServerPool(pair: nil, bodyLimitBytes: RESTServer.longestImageBytes, hosts: ["localhost"])
    private var bootedAt = Instant.start
    /// Asked for; the answer goes out first.
    private var wantsRestart = false

    mutating func begin(_ now: Instant) { bootedAt = now }

    mutating func stop(_ out: inout Outbox) {
        connections.abandon(&out)
        wantsRestart = false
    }

    /// True once after somebody has asked for a restart.
    mutating func takeRestart() -> Bool {
        defer { wantsRestart = false }
        return wantsRestart
    }

    /// Whether an event is of the cable's: its streams have numbers that nothing else has.
    func takes(_ event: Event) -> Bool {
        switch event {
        case .accepted(_, let port, _): port == ServicePort.deviceREST
        case .received(let stream, _), .closed(let stream, _): connections.has(stream)
        default: false
        }
    }

    /// Takes what has come over the cable, and answers.
    mutating func handle(
        _ event: Event, _ chip: MT3620Chip, _ services: inout Services, _ apps: inout AppHost, _ development: inout Development,
        _ out: inout Outbox
    ) -> [AppOutcome] {
        let locale = services.context.locale(out.now)
        var asked: [(Request, StreamID)] = []
        connections.handle(
            event, locale: locale, &out, security: { _ in .plain },
            answer: { request, caller, _ in
                asked.append((request, caller.stream))
                return nil
            })
        var outcomes: [AppOutcome] = []
        for (request, connection) in asked {
            out.observe(.restRequest, [.operation: .text("\(request.method) \(request.path)")])
            let response: Response
            switch RESTInterface.operations.match(request, refuse: { Response($0, body: JSON.encode(Refused(error: $1))) }) {
            case .answered(let known): response = known
            case .operation(let operation, let values):
                response =
                    tell(operation, chip, services, apps, development, out.now)
                    ?? perform(operation, values, request, chip, &services, &apps, &development, &outcomes, &out)
            }
            connections.respond(response, on: connection, locale, &out)
        }
        return outcomes
    }

    /// What the device says of itself; nil for what is more than a question, or about one app.
    private func tell(
        _ operation: RESTOperation, _ chip: MT3620Chip, _ services: Services, _ apps: AppHost, _ development: Development, _ now: Instant
    ) -> Response? {
        let isReady = services.context.identity.isReady
        switch operation {
        case .abiVersions: return json(["abi_versions": [["version": 2], ["version": 3], ["version": 4]]])
        case .status: return json(["uptime": (now - bootedAt).nanoseconds / 1_000_000_000])
        case .osVersion: return json(["osversion": services.context.software.osVersion])
        case .securityState: return json(["deviceIdentifier": services.context.deviceID, "securityState": chip.securityState])
        case .manufacturingState: return json(["manufacturingState": chip.manufacturingState])
        case .capabilities: return json(["device_capabilities": development.capabilities])
        case .netStatus: return json(["deviceAuthenticationIsReady": isReady, "networkTimeSync": apps.isTimeSynchronised])
        case .wifiInterface:
            let state = apps.isLinkDown ? "disconnected" : isReady ? "connected" : "connecting"
            return json(["state": state, "interface": "wlan0"])
        case .images: return json(["components": chip.components])
        case .log: return Response(200, "text/plain", body: Array(apps.recentLog.joined(separator: "\n").utf8 + [0x0A]))
        case .memory: return json(apps.memory.map { AppMemory(name: $0.name, usedKiB: $0.usedKiB) })
        case .appStates: return json(apps.states.map(AppState.init))
        case .appState, .setAppState, .restart, .stage, .install: return nil
        }
    }

    private mutating func perform(
        _ operation: RESTOperation, _ values: [String], _ request: Request, _ chip: MT3620Chip, _ services: inout Services,
        _ apps: inout AppHost, _ development: inout Development, _ outcomes: inout [AppOutcome], _ out: inout Outbox
    ) -> Response {
        do throws(Development.Refusal) {
            switch operation {
            case .appState: return state(of: values[0], apps)
            case .setAppState: return try set(values[0], request, &apps, &out)
            case .restart:
                wantsRestart = true
                return json(["restartingSystem": true])
            case .stage:
                try development.stage(request.body, chip, keep: { try services.keep(.capabilityFile, $0) }, &out)
            case .install:
                let (reason, reports) = apps.replace(with: try development.takeStaged(), &out)
                outcomes += reports
                if let reason { throw Development.Refusal(status: 400, reason: "the app cannot be started: \(reason)") }
            default: return Response(404)
            }
            return json(["status": "ok"])
        } catch {
            return Response(error.status, body: JSON.encode(Refused(error: error.reason)))
        }
    }

    private func json(_ value: some Encodable) -> Response { Response(200, body: JSON.encode(value)) }

    private func state(of name: String, _ apps: AppHost) -> Response {
        json(apps.states.first { $0.isCalled(name) }.map(AppState.init) ?? AppState(absent: name))
    }

    /// Starts or stops an app.
    private func set(
        _ name: String, _ request: Request, _ apps: inout AppHost, _ out: inout Outbox
    ) throws(Development.Refusal) -> Response {
        guard let wanted = JSON.decode(Wanted.self, request.body)?.state, ["starting", "stopping"].contains(wanted) else {
            throw Development.Refusal(status: 400, reason: "expected {\"state\": \"starting\" or \"stopping\"}")
        }
        guard let place = apps.states.firstIndex(where: { $0.isCalled(name) }) else {
            throw Development.Refusal(status: 404, reason: "no such app")
        }
        apps.set(place, isRunning: wanted == "starting", &out)
        return state(of: name, apps)
    }
}
