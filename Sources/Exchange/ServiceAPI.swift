import FoundationEssentials
public import SecureChannel
public import Wire

/// The JSON bodies that devices and the service exchange beside the standard formats.
public enum ServiceAPI {
    /// `POST /attestation/challenge`: which device wants a nonce.
    public struct ChallengeRequest: Codable, Sendable {
        /// Of a device with a TPM: the certificate of its endorsement key in DER, and TPMT_PUBLIC of its attestation key, in base64.
        public struct Endorsement: Codable, Sendable {
            public var certificate: String
            public var attestationKey: String
            public init(certificate: [UInt8], attestationKey: [UInt8]) {
                (self.certificate, self.attestationKey) = (Base64.encode(certificate), Base64.encode(attestationKey))
            }
        }

        public var deviceId: String
        public var endorsement: Endorsement?
        public init(deviceId: String, endorsement: Endorsement? = nil) { (self.deviceId, self.endorsement) = (deviceId, endorsement) }
    }

    /// 32 bytes in hex, good for one appraisal.
    public struct Challenge: Codable, Sendable {
        /// For an endorsed device a secret that only it can read: TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, in hex.
        public struct Credential: Codable, Sendable {
            public var blob: String
            public var secret: String
            public init(blob: [UInt8], secret: [UInt8]) { (self.blob, self.secret) = (blob.hex, secret.hex) }
        }

        public var nonce: String
        public var credential: Credential?
        public init(nonce: String, credential: Credential? = nil) { (self.nonce, self.credential) = (nonce, credential) }
    }

    /// The answer to evidence: a secret that enrols this device once for each certificate, and the authorities between such a
    /// certificate and the root, each in DER and base64, the issuer first. (EST answers with the certificate alone.)
    public struct AttestationResult: Codable, Sendable {
        public var ticket: String
        public var authorities: [String]
        public init(ticket: String, authorities: [Certificate]) {
            self.ticket = ticket
            self.authorities = authorities.map { Base64.encode($0.der) }
        }
    }

    /// The time of day, under the verifier's key, for whoever has sent the nonce: believed whatever a clock shows, since that key is
    /// not known by a certificate that ends.
    public struct Time: Codable, Sendable {
        public var unixNanoseconds: Int64
        /// Over ``digest(nonce:unixNanoseconds:)``, in base64.
        public var signature: String
        public init(unixNanoseconds: Int64, signature: [UInt8]) {
            (self.unixNanoseconds, self.signature) = (unixNanoseconds, Base64.encode(signature))
        }

        /// SHA-256 of what is signed.
        /// - Parameter nonce: In hex.
        public static func digest(nonce: String, unixNanoseconds: Int64) -> [UInt8] {
            sha256(Array("time\n\(nonce)\n\(unixNanoseconds)\n".utf8))
        }
    }

    /// Why something was refused.
    public struct Refusal: Codable, Sendable {
        public var code: Code
        public var reason: String
        public init(_ code: Code, reason: String) { (self.code, self.reason) = (code, reason) }
    }

    public struct Telemetry: Codable, Sendable {
        public var device: String
        public var unixSeconds: Int64
        public init(device: String, unixSeconds: Int64) {
            self.device = device
            self.unixSeconds = unixSeconds
        }
    }

    /// What was seen of something by whoever tells of it, so that it can be found again: connections as
    /// `Connection` writes them, digests of images in hex (64 bits of them), nonces in hex. At most eight of each.
    public struct Sighting: Codable, Sendable, Equatable {
        public static let limit = 8
        public private(set) var connections: [String] = []
        public private(set) var digests: [String] = []
        public private(set) var nonces: [String] = []

        public init(connections: [Connection] = [], digests: [String] = [], nonces: [String] = []) {
            self.connections = connections.prefix(Self.limit).map(\.description)
            self.digests = digests.prefix(Self.limit).map(\.digestHead)
            self.nonces = Array(nonces.prefix(Self.limit))
        }

        public mutating func add(_ other: Sighting) {
            func joined(_ a: [String], _ b: [String]) -> [String] { a + b.filter { !a.contains($0) }.prefix(max(0, Self.limit - a.count)) }
            connections = joined(connections, other.connections)
            digests = joined(digests, other.digests)
            nonces = joined(nonces, other.nonces)
        }

        /// As an observation has it.
        public var details: [Fact.Detail: Fact.Value] {
            var details: [Fact.Detail: Fact.Value] = [:]
            for (key, values) in [(Fact.Detail.connection, connections), (.digest, digests), (.nonce, nonces)] where !values.isEmpty {
                details[key] = .text(values.joined(separator: " "))
            }
            return details
        }

        /// Nothing that somebody else wrote is longer than it may be.
        public var isWithinLimits: Bool {
            [connections, digests, nonces].allSatisfy { $0.count <= Self.limit && $0.allSatisfy { $0.utf8.count <= 64 } }
        }
    }

    /// What an error report holds (AS-40).
    public struct ErrorReport: Codable, Sendable {
        public struct Event: Codable, Sendable {
            public var category: ReportCategory
            public var description: String
            public var unixSeconds: Int64
            public var count: Int
            public var seen: Sighting
            public init(category: ReportCategory, description: String, unixSeconds: Int64, count: Int = 1, seen: Sighting = Sighting()) {
                self.category = category
                self.description = description
                self.unixSeconds = unixSeconds
                self.count = count
                self.seen = seen
            }
        }
        public var events: [Event]
        public init(events: [Event]) { self.events = events }
    }

    /// `POST /update/status`: what runs on a device, and what it tried in vain (UP-3).
    public struct UpdateStatus: Codable, Sendable {
        public struct Image: Codable, Sendable {
            public var component: String
            public var name: String
            public var version: Int64
            public var sha256: String
            public init(component: String, name: String, version: Int64, sha256: String) {
                self.component = component
                self.name = name
                self.version = version
                self.sha256 = sha256
            }
        }
        public struct Failure: Codable, Sendable {
            public enum Kind: String, Codable, Sendable {
                /// It was installed and did not work, so that the device went back.
                case failed
                /// It was never installed: this device cannot take it.
                case refused
            }
            public var sha256: String
            public var reason: String
            /// Nil from devices that do not say.
            public var kind: Kind?
            public init(sha256: String, reason: String, kind: Kind) {
                self.sha256 = sha256
                self.reason = reason
                self.kind = kind
            }
        }
        public var osVersion: String
        public var images: [Image]
        public var failures: [Failure]
        public init(osVersion: String, images: [Image], failures: [Failure]) {
            self.osVersion = osVersion
            self.images = images
            self.failures = failures
        }
    }

    /// `GET /peer/status`: what one device tells another.
    public struct PeerStatus: Codable, Sendable {
        public var device: String
        public var product: String
        public var unixSeconds: Int64
        public init(device: String, product: String, unixSeconds: Int64) {
            self.device = device
            self.product = product
            self.unixSeconds = unixSeconds
        }
    }

    public static let challengePath = "/attestation/challenge"
    public static let evidencePath = "/attestation/evidence"
    /// EST (RFC 7030 section 3.2.2): of these two labels, or without a label as with `customer`.
    public static let estPath = "/.well-known/est"
    public static let updateEnrolPath = "\(estPath)/update/simpleenroll"
    public static let customerEnrolPath = "\(estPath)/customer/simpleenroll"
    public static let telemetryPath = "/telemetry"
    /// The authorities between a certificate and the root, in PEM: they are no secret, and EST's answers leave them out.
    public static let authoritiesPath = "/ca/chain.pem"
    /// With a nonce of 32 hexadecimal digits behind it.
    public static let timePath = "/time/"
    /// Below it, a topic: what apps say, under the device's customer certificate.
    public static let messagePath = "/messages/"
    public static let reportPath = "/error-reports"
    public static let updateStatusPath = "/update/status"
    /// Below it lie `metadata/` and `targets/` of the image repository.
    public static let imageRepositoryPath = "/image"
    /// Below it lies the metadata for one device.
    public static let directorPrefix = "/director/"
    public static func directorPath(_ deviceID: String) -> String { directorPrefix + deviceID }
    public static let peerPath = "/peer/status"
}

extension Response {
    /// With the reason as ``ServiceAPI/Refusal``.
    public init(refusing status: Int, _ code: Code, _ reason: String, retryAfterSeconds: Int? = nil, headers: [Header] = []) {
        self.init(
            status, body: JSON.encode(ServiceAPI.Refusal(code, reason: reason)), retryAfterSeconds: retryAfterSeconds, headers: headers)
    }
}
