import Exchange
import Formats
import Kernel
import SecureChannel
import Silicon
import Wire

/// The device's REST interface, on its service port: what the original's command line speaks to a device by cable (REST-1).
extension Device {
    private struct Failure: Encodable { var error: String }
    private struct AppState: Encodable {
        var componentId: String
        var name: String
        /// running, stopped or notPresent.
        var state: String
        var core: String

        init(_ component: GUID?, _ name: String, isStopped: Bool, core: String) {
            componentId = component.map { "\($0)".lowercased() } ?? ""
            (self.name, self.core) = (name, core)
            state = isStopped ? "stopped" : "running"
        }

        /// By component ID or name.
        func isCalled(_ word: String) -> Bool { componentId == word.lowercased() || name == word }
    }
    private struct Absent: Encodable {
        var componentId: String
        var name = ""
        var state = "notPresent"
        var core = ""
    }
    private struct AppMemory: Encodable {
        var name: String
        var usedKiB: Int
    }
    private struct Wanted: Decodable { var state: String }
    private struct Component: Encodable {
        var uid: String
        var name: String
        var type: String
        var securityVersion: UInt32
        var slot: String
    }

    /// Takes what has come over the cable, and answers.
    mutating func serveCable(_ event: Event, _ locale: Locale, _ out: inout Outbox) {
        var asked: [(Request, StreamID)] = []
        cable.handle(
            event, locale: locale, &out, security: { _ in .plain },
            answer: { request, caller, _ in
                asked.append((request, caller.stream))
                return nil
            })
        for (request, connection) in asked { cable.respond(answerREST(request, &out), on: connection, locale, &out) }
    }

    private mutating func answerREST(_ request: Request, _ out: inout Outbox) -> Response {
        out.observe(.restRequest, [.operation: .text("\(request.method) \(request.path)")])
        switch RESTInterface.operations.match(request, refuse: { Response($0, body: JSON.encode(Failure(error: $1))) }) {
        case .answered(let response): return response
        case .operation(let operation, let values): return perform(operation, values, request, &out)
        }
    }

    private mutating func perform(_ operation: RESTOperation, _ values: [String], _ request: Request, _ out: inout Outbox) -> Response {
        switch operation {
        case .abiVersions: return json(["abi_versions": [["version": 2], ["version": 3], ["version": 4]]])
        case .status: return json(["uptime": (out.now - bootedAt).nanoseconds / 1_000_000_000])
        case .osVersion: return json(["osversion": osVersion])
        case .securityState: return json(["deviceIdentifier": pluton.deviceID, "securityState": "\(fuses.securityState)"])
        case .manufacturingState: return json(["manufacturingState": "\(fuses.manufacturingState)"])
        case .capabilities: return json(["device_capabilities": development.capabilities])
        case .netStatus:
            return json([
                "deviceAuthenticationIsReady": identity.isReady, "networkTimeSync": appServices.network?.isTimeSynchronised ?? true,
            ])
        case .wifiInterface:
            let state = appServices.network?.link == .down ? "disconnected" : identity.isReady ? "connected" : "connecting"
            return json(["state": state, "interface": "wlan0"])
        case .images: return json(["components": components])
        case .log: return Response(200, "text/plain", body: Array(recentLog.joined(separator: "\n").utf8 + [0x0A]))
        case .memory: return json(apps.map { AppMemory(name: $0.app, usedKiB: $0.memoryKiB) })
        case .appStates: return json(states)
        case .appState: return appState(values[0])
        case .setAppState: return setApp(values[0], request, &out)
        case .restart:
            restartAt = out.now
            return json(["restartingSystem": true])
        case .stage: return change { device throws(RESTFailure) in try device.stage(request.body, &out) }
        case .install: return change { device throws(RESTFailure) in try device.installStaged(&out) }
        }
    }

    /// Changes the device, or says why not.
    private mutating func change(_ body: (inout Device) throws(RESTFailure) -> Void) -> Response {
        do throws(RESTFailure) {
            try body(&self)
            return json(["status": "ok"])
        } catch {
            return Response(error.status, body: JSON.encode(Failure(error: error.error)))
        }
    }

    private func json(_ value: some Encodable) -> Response { Response(200, body: JSON.encode(value)) }

    private var components: [Component] {
        booted.all.map { image in
            Component(
                uid: image.digest.hex.digestHead, name: image.package.name, type: image.package.type.name,
                securityVersion: image.package.securityVersion, slot: image.slot.name)
        }
    }

    /// On the A7, then on real-time cores.
    private var states: [AppState] {
        apps.map { AppState($0.component, $0.app, isStopped: $0.isStopped, core: "A7") }
            + cores.map { AppState($0.component, $0.app, isStopped: $0.isHalted, core: "M4") }
    }

    private func appState(_ name: String) -> Response {
        states.first { $0.isCalled(name) }.map { json($0) } ?? json(Absent(componentId: name))
    }

    private mutating func setApp(_ name: String, _ request: Request, _ out: inout Outbox) -> Response {
        guard let wanted = JSON.decode(Wanted.self, request.body)?.state, ["starting", "stopping"].contains(wanted) else {
            return Response(400, body: JSON.encode(Failure(error: "expected {\"state\": \"starting\" or \"stopping\"}")))
        }
        guard let place = states.firstIndex(where: { $0.isCalled(name) }) else {
            return Response(404, body: JSON.encode(Failure(error: "no such app")))
        }
        let core = place < apps.count ? nil : cores[place - apps.count]
        switch (wanted, core) {
        case ("starting", nil): apps[place].start(again: out.now)
        case ("starting", let core?): core.resume(at: out.now)
        case (_, nil): stopApp(at: place, &out)
        case (_, let core?): _ = core.halt()
        }
        return appState(name)
    }

    /// What the apps have said last, the oldest first.
    private var recentLog: [String] { apps.flatMap { app in app.recent.map { "\(app.app): \($0)" } } }
}
