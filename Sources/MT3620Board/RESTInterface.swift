import Exchange

/// What a device does over its service port; `GET /openapi.json` says the same (OpenAPI 3.1). Names and shapes are the
/// original's (REST-1).
enum RESTOperation: Sendable {
    case abiVersions, status, osVersion, securityState, manufacturingState, capabilities, netStatus, wifiInterface
    case images, log, memory, appStates, appState, setAppState, restart, stage, install
}

enum RESTInterface {
    private static let object = Representation.json(#"{"type":"object"}"#)
    private static let array = Representation.json(#"{"type":"array","items":{"type":"object"}}"#)
    private static let component = ["component": #"{"type":"string","minLength":1,"description":"A component ID, or an app's name."}"#]
    private static let image = Representation("application/octet-stream")
    private static let state = Representation.json(
        #"{"type":"object","properties":{"state":{"enum":["starting","stopping"]}},"required":["state"]}"#)

    static let operations = Operations<RESTOperation>(
        title: "Orrery device: REST interface of the service port",
        [
            get(.abiVersions, "/abi_versions", "Which application ABIs the OS has."),
            get(.status, "/status", "Seconds since it booted."),
            get(.osVersion, "/osversion", "The OS release."),
            get(.securityState, "/device/security_state", "Device ID and security state."),
            get(.manufacturingState, "/device/manufacturing_state", "Manufacturing state."),
            get(.capabilities, "/device/capabilities", "Capabilities that are enabled."),
            get(.netStatus, "/net/status", "Whether it is authenticated, and its time synchronised."),
            get(.wifiInterface, "/wifi/interface", "State of the network interface."),
            get(.images, "/images", "Images that have been booted, with their measurements."),
            .init(
                .log, "GET", "/log", "What the apps have said last.", responses: [200: Representation("text/plain", #"{"type":"string"}"#)]),
            .init(.memory, "GET", "/stats/memory", "What each app uses, in KiB.", responses: [200: array]),
            .init(.appStates, "GET", "/app/status", "All apps: running or stopped.", responses: [200: array]),
            .init(.appState, "GET", "/app/status/{component}", "One app.", parameters: component, responses: [200: object]),
            change(.setAppState, "PUT", "/app/status/{component}", "Starts or stops an app.", state),
            change(.setAppState, "PATCH", "/app/status/{component}", "Starts or stops an app.", state),
            change(.restart, "POST", "/restart", "Restarts the device."),
            change(.stage, "PUT", "/update/stage", "Stages an image package.", image),
            change(.stage, "POST", "/update/stage", "Stages an image package.", image),
            change(.install, "POST", "/update/install", "Installs what is staged."),
        ],
        refusal: .json(#"{"type":"object"}"#))

    private static func get(_ id: RESTOperation, _ path: String, _ summary: String) -> Operation<RESTOperation> {
        .init(id, "GET", path, summary, responses: [200: object])
    }

    private static func change(
        _ id: RESTOperation, _ method: String, _ path: String, _ summary: String, _ request: Representation? = nil
    ) -> Operation<RESTOperation> {
        .init(id, method, path, summary, parameters: path.contains("{") ? component : [:], request: request, responses: [200: object])
    }
}
