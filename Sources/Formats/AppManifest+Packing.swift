import FoundationEssentials

extension AppManifest {
    /// The manifest with its `$NAMES` replaced by what a hardware definition has for them.
    public static func resolve(_ json: [UInt8], _ definition: HardwareDefinition?) throws(HardwareDefinition.Failure) -> [UInt8] {
        guard case .object(var fields)? = try? JSONDecoder().decode(JSONValue.self, from: Data(json)) else { return json }
        guard case .object(var capabilities)? = fields["Capabilities"] else { return json }
        var hasChanged = false
        for (capability, value) in capabilities.sorted(by: { $0.key < $1.key }) {
            guard case .array(let items) = value else { continue }
            var resolved: [JSONValue] = []
            for item in items {
                guard case .string(let text) = item, text.hasPrefix("$") else {
                    resolved.append(item)
                    continue
                }
                guard let definition else { throw .init("app_manifest.json: \(capability): '\(text)' needs a hardware definition") }
                do { resolved.append(try definition.manifestValue(of: String(text.dropFirst()))) } catch {
                    throw .init("app_manifest.json: \(capability): \(error)")
                }
                hasChanged = true
            }
            capabilities[capability] = .array(resolved)
        }
        guard hasChanged else { return json }
        fields["Capabilities"] = .object(capabilities)
        return encoded(fields) ?? json
    }

    /// The manifest with a component ID in place of what is no GUID, as projects have it that were never packed; nil if it has one.
    /// - Parameter id: One for a text that stays the same from build to build: the app's name, and what stood there.
    public static func givenComponentID(_ json: [UInt8], id: (String) -> GUID) -> (json: [UInt8], id: GUID)? {
        guard case .object(var fields)? = try? JSONDecoder().decode(JSONValue.self, from: Data(json)) else { return nil }
        guard case .string(let text)? = fields["ComponentId"], GUID(text) == nil else { return nil }
        let name = if case .string(let name)? = fields["Name"] { name } else { "" }
        let own = id("\(name) \(text)")
        fields["ComponentId"] = .string(own.description)
        return encoded(fields).map { ($0, own) }
    }

    private static func encoded(_ fields: [String: JSONValue]) -> [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return (try? encoder.encode(JSONValue.object(fields))).map { Array($0) }
    }
}
