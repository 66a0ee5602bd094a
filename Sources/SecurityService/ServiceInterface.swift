import Exchange
import Wire

/// What the service does over HTTP, port by port; `GET /openapi.json` on each of them says the same (OpenAPI 3.1).
enum ServiceOperation: Sendable {
    case challenge, evidence
    case cacerts, csrattrs, simpleenroll, simplereenroll
    case telemetry, message, errorReport, updateStatus
    case imageMetadata, imageTarget, directorMetadata, authorities, time
}

enum ServiceInterface {
    static func operations(port: UInt16) -> Operations<ServiceOperation>? {
        switch port {
        case ServicePort.enrolment: enrolment
        case ServicePort.mutual: mutual
        case ServicePort.updates: updates
        default: nil
        }
    }

    private static let refusal = Representation.json(
        #"""
        {"type":"object","properties":{"code":{"type":"string"},"reason":{"type":"string"}},"required":["code","reason"]}
        """#)
    /// An ECC P-256 public key in hex (HW-18).
    private static let deviceID = #"{"type":"string","pattern":"^[0-9a-f]{128}$"}"#
    private static let certificates = Representation("application/pkcs7-mime", #"{"type":"string","contentEncoding":"base64"}"#)
    private static let request = Representation("application/pkcs10", #"{"type":"string","contentEncoding":"base64"}"#)
    private static let text = #"{"type":"string"}"#
    private static let file = Representation("application/octet-stream")
    private static let metadata = Representation.json(
        #"{"type":"object","properties":{"signatures":{"type":"array"},"signed":{"type":"object"}},"required":["signatures","signed"]}"#)

    /// RFC 9334: passport model. RFC 7030: with and without a label.
    private static let enrolment = Operations<ServiceOperation>(
        title: "Orrery security service: attestation and enrolment",
        [
            .init(
                .challenge, "POST", ServiceAPI.challengePath, "A nonce for evidence, good for one appraisal within five minutes.",
                request: .json(
                    #"""
                    {"type":"object","properties":{"deviceId":\#(deviceID),"endorsement":{"type":"object","properties":
                    {"attestationKey":\#(text),"certificate":\#(text)},"required":["attestationKey","certificate"]}},"required":["deviceId"]}
                    """#),
                responses: [
                    200: .json(
                        #"""
                        {"type":"object","properties":{"credential":{"type":"object","properties":{"blob":\#(text),"secret":\#(text)},
                        "required":["blob","secret"]},"nonce":{"type":"string","pattern":"^[0-9a-f]{64}$"}},"required":["nonce"]}
                        """#)
                ]),
            .init(
                .evidence, "POST", ServiceAPI.evidencePath,
                "Appraises a PSA attestation token (RFC 9783) in COSE_Sign1: a ticket that enrols once for each certificate.",
                headers: ["x-device-id": deviceID], request: Representation("application/eat+cwt"),
                responses: [
                    200: .json(
                        #"""
                        {"type":"object","properties":{"authorities":{"type":"array","items":{"type":"string"}},"ticket":\#(text)},
                        "required":["authorities","ticket"]}
                        """#)
                ]),
        ] + est(label: "") + est(label: "/{label}"), refusal: refusal)

    private static func est(label: String) -> [Operation<ServiceOperation>] {
        let path = ServiceAPI.estPath + label
        let labels = ["label": #"{"enum":["customer","update"]}"#]
        let parameters = label.isEmpty ? [:] : labels
        return [
            .init(
                .cacerts, "GET", path + "/cacerts", "The root that certificates lead to (RFC 7030 section 4.1).", parameters: parameters,
                responses: [200: certificates]),
            .init(
                .csrattrs, "GET", path + "/csrattrs", "What a request should hold (section 4.5): a key on P-256.", parameters: parameters,
                responses: [200: Representation("application/csrattrs", #"{"type":"string","contentEncoding":"base64"}"#)]),
            .init(
                .simpleenroll, "POST", path + "/simpleenroll",
                "A certificate of 24 hours, for a ticket or a client's secret (section 4.2).",
                parameters: parameters, request: request, responses: [200: certificates]),
            .init(
                .simplereenroll, "POST", path + "/simplereenroll",
                "The same for whoever shows the certificate that is to be renewed; a device needs a ticket too (section 4.2.2).",
                parameters: parameters, request: request, responses: [200: certificates]),
        ]
    }

    private static let mutual = Operations<ServiceOperation>(
        title: "Orrery security service: operation, and updates over TLS, for devices with a certificate",
        [
            .init(
                .telemetry, "POST", ServiceAPI.telemetryPath, "A device is there.",
                request: .json(
                    #"""
                    {"type":"object","properties":{"device":\#(text),"unixSeconds":{"type":"integer","format":"int64"}},
                    "required":["device","unixSeconds"]}
                    """#), responses: [200: nil]),
            .init(
                .message, "POST", ServiceAPI.messagePath + "{topic}", "What an app of a device has to say, for its owner.",
                parameters: ["topic": #"{"type":"string","minLength":1,"maxLength":64}"#],
                request: Representation("application/octet-stream"),
                responses: [200: nil]),
            .init(
                .errorReport, "POST", ServiceAPI.reportPath, "What went wrong on a device (at most 1,000 events).",
                request: .json(
                    #"""
                    {"type":"object","properties":{"events":{"type":"array","maxItems":1000,"items":{"type":"object","properties":
                    {"category":\#(text),"count":{"type":"integer"},"description":{"type":"string","maxLength":1000},"seen":{"type":"object"},
                    "unixSeconds":{"type":"integer","format":"int64"}},
                    "required":["category","count","description","seen","unixSeconds"]}}},"required":["events"]}
                    """#), responses: [200: nil]),
            .init(
                .updateStatus, "POST", ServiceAPI.updateStatusPath, "What runs on a device, and what it tried in vain.",
                request: .json(
                    #"""
                    {"type":"object","properties":{"failures":{"type":"array","maxItems":64},"images":{"type":"array","maxItems":64},
                    "osVersion":\#(text)},"required":["failures","images","osVersion"]}
                    """#), responses: [200: nil]),
        ] + repositories, refusal: refusal)

    private static let repositories: [Operation<ServiceOperation>] = [
        .init(
            .imageMetadata, "GET", ServiceAPI.imageRepositoryPath + "/metadata/{file}", "Of the image repository: what is authentic.",
            responses: [200: metadata]),
        .init(
            .imageTarget, "GET", ServiceAPI.imageRepositoryPath + "/targets/{file}", "An image, whole or a range of it.",
            responses: [200: file, 206: file]),
        .init(
            .directorMetadata, "GET", ServiceAPI.directorPath("{device}") + "/{file}", "Of the director: what one device is to run.",
            responses: [200: metadata]),
    ]

    /// Nothing here is secret, and nothing that is served need be believed.
    private static let updates = Operations<ServiceOperation>(
        title: "Orrery security service: update metadata and images (TUF 1.0.34), in clear",
        repositories + [
            .init(
                .authorities, "GET", ServiceAPI.authoritiesPath, "The authorities between a certificate and the root, in PEM.",
                responses: [200: Representation("application/pem-certificate-chain", text)]),
            .init(
                .time, "GET", ServiceAPI.timePath + "{nonce}", "The time of day, signed by the verifier together with the nonce.",
                parameters: ["nonce": #"{"type":"string","pattern":"^[0-9a-f]{32}$"}"#],
                responses: [
                    200: .json(
                        #"""
                        {"type":"object","properties":{"signature":\#(text),"unixNanoseconds":{"type":"integer","format":"int64"}},
                        "required":["signature","unixNanoseconds"]}
                        """#)
                ]),
        ], refusal: refusal)
}
