import FoundationEssentials

/// `app_manifest.json`, schema version 1 (azure-sphere §2.3).
public struct AppManifest: Sendable, Equatable, Codable {
    public var schemaVersion: Int
    public var name: String
    public var componentID: String
    public var entryPoint: String
    public var applicationType: String?
    public var capabilities: [String: Capability]

    /// Booleans, names, numbers: what a capability may hold.
    public enum Capability: Sendable, Equatable, Codable {
        case flag(Bool)
        case names([String])
        case number(Int)
        case numbers([Int])

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else if let numbers = try? container.decode([Int].self) {
                self = .numbers(numbers)
            } else {
                self = .names(try container.decode([String].self))
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .flag(let flag): try container.encode(flag)
            case .names(let names): try container.encode(names)
            case .number(let number): try container.encode(number)
            case .numbers(let numbers): try container.encode(numbers)
            }
        }
    }

    enum CodingKeys: String, CodingKey {
        case schemaVersion = "SchemaVersion"
        case name = "Name"
        case componentID = "ComponentId"
        case entryPoint = "EntryPoint"
        case applicationType = "ApplicationType"
        case capabilities = "Capabilities"
    }

    /// A refusal with the original's number: (category 2, AppManifest) << 20 + id (OS-14).
    public struct Refusal: Error, Equatable, Sendable {
        public let code: Int
        public let reason: String
        init(_ id: Int, _ reason: String) {
            code = 2 << 20 | id
            self.reason = reason
        }
    }

    public var isRealTime: Bool { applicationType == "RealTimeCapable" }

    public init(json: [UInt8]) throws(Refusal) {
        let manifest: AppManifest
        do {
            manifest = try JSONDecoder().decode(AppManifest.self, from: Data(json))
        } catch {
            throw Refusal(1, "the manifest does not parse")
        }
        guard manifest.schemaVersion == 1 else { throw Refusal(17, "schema version \(manifest.schemaVersion)") }
        guard manifest.entryPoint.hasPrefix("/") else { throw Refusal(16, "entry point '\(manifest.entryPoint)'") }
        guard GUID(manifest.componentID) != nil else { throw Refusal(7, "component '\(manifest.componentID)'") }
        let kinds = ["Default", "RealTimeCapable", "Debugger"]
        guard kinds.contains(manifest.applicationType ?? "Default") else {
            throw Refusal(27, "application type '\(manifest.applicationType ?? "")'")
        }
        self = manifest
    }
}
