import FoundationEssentials

/// Names for what a board has where: a JSON file that stands on others (applibs-api §3).
public struct HardwareDefinition: Sendable {
    public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        public var description: String
        init(_ description: String) { self.description = description }
    }

    public struct Peripheral: Sendable, Equatable {
        public var name: String
        public var type: String
        /// A name in an import; nil in the file that says what it is.
        public var mapping: String?
        public var headerValue: String?
        var manifestValue: JSONValue?
        public var comment: String
    }

    static let types: Set = ["Gpio", "I2cMaster", "SpiMaster", "Uart", "Pwm", "Adc", "int"]
    private static let deepest = 8

    public private(set) var peripherals: [Peripheral] = []
    private var topContent: [String] = []
    private var imports: [(path: String, definition: HardwareDefinition)] = []

    /// - Parameters:
    ///   - file: Its name, for what is said of it.
    ///   - load: The bytes of a file that is named in `Imports`.
    public init(_ bytes: [UInt8], file: String, depth: Int = 0, load: (String) -> [UInt8]?) throws(Failure) {
        guard depth < HardwareDefinition.deepest else { throw Failure("\(file): imports go round in circles") }
        guard case .object(let root)? = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else {
            throw Failure("\(file): no JSON object")
        }
        if case .object(let description)? = root["Description"] { topContent = description["MainCoreHeaderFileTopContent"]?.texts ?? [] }
        if case .list(let items)? = root["Imports"] {
            for item in items {
                guard case .object(let fields) = item, case .text(let path)? = fields["Path"] else {
                    throw Failure("\(file): an import has no Path")
                }
                guard let content = load(path) else { throw Failure("\(file): cannot find the import '\(path)'") }
                imports.append((path, try HardwareDefinition(content, file: path, depth: depth + 1, load: load)))
            }
        }
        guard case .list(let items)? = root["Peripherals"] else { throw Failure("\(file): no Peripherals") }
        for item in items { peripherals.append(try HardwareDefinition.peripheral(item, file)) }
        var seen: Set<String> = []
        for peripheral in peripherals {
            guard seen.insert(peripheral.name).inserted else { throw Failure("\(file): '\(peripheral.name)' is there twice") }
            if let mapping = peripheral.mapping, find(mapping, below: true) == nil {
                throw Failure("\(file): '\(peripheral.name)' stands for '\(mapping)', which is in no import")
            }
        }
    }

    private static func peripheral(_ item: JSONValue, _ file: String) throws(Failure) -> Peripheral {
        guard case .object(let fields) = item, case .text(let name)? = fields["Name"], case .text(let type)? = fields["Type"] else {
            throw Failure("\(file): a peripheral has no Name or Type")
        }
        guard let first = name.utf8.first, first > 57,
            name.utf8.allSatisfy({ $0 == 95 || $0 < 128 && ($0 | 32 >= 97 && $0 | 32 <= 122 || $0 >= 48 && $0 <= 57) })
        else { throw Failure("\(file): '\(name)' is no name for C") }
        guard types.contains(type) else { throw Failure("\(file): '\(name)' has the unknown type '\(type)'") }
        func text(_ key: String) -> String? { if case .text(let text)? = fields[key] { text } else { nil } }
        let peripheral = Peripheral(
            name: name, type: type, mapping: text("Mapping"), headerValue: text("MainCoreHeaderValue"),
            manifestValue: fields["AppManifestValue"], comment: text("Comment") ?? "")
        guard peripheral.mapping != nil || peripheral.headerValue != nil else {
            throw Failure("\(file): '\(name)' has neither a Mapping nor a MainCoreHeaderValue")
        }
        return peripheral
    }

    private func find(_ name: String, below: Bool) -> Peripheral? {
        if !below, let own = peripherals.first(where: { $0.name == name }) {
            return own.mapping.map { find($0, below: true) } ?? own
        }
        for (_, definition) in imports { if let found = definition.find(name, below: false) { return found } }
        return nil
    }

    /// What a manifest has for a name: a number for pins, a word for the rest. Nil if there is none.
    func manifestValue(of name: String) -> JSONValue? { find(name, below: false)?.manifestValue }

    /// The header for C, as it stands beside the JSON under inc/hw.
    public var header: String {
        var lines = topContent + ["/* Generated from a hardware definition by `orrery sdk header`. */", "#pragma once"]
        lines += imports.map { "#include \"\($0.path.split(separator: "/").last.map { $0.replacing(".json", with: "") } ?? "").h\"" }
        for peripheral in peripherals {
            lines.append("")
            if !peripheral.comment.isEmpty { lines.append("/* \(peripheral.comment) */") }
            lines.append("#define \(peripheral.name) \(peripheral.mapping ?? peripheral.headerValue ?? "")")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension AppManifest {
    /// The manifest with its `$NAMES` replaced by what a hardware definition has for them.
    public static func resolve(_ json: [UInt8], _ definition: HardwareDefinition?) throws(HardwareDefinition.Failure) -> [UInt8] {
        guard case .object(var fields)? = try? JSONDecoder().decode(JSONValue.self, from: Data(json)) else { return json }
        guard case .object(var capabilities)? = fields["Capabilities"] else { return json }
        var hasChanged = false
        for (capability, value) in capabilities.sorted(by: { $0.key < $1.key }) {
            guard case .list(let items) = value else { continue }
            var resolved: [JSONValue] = []
            for item in items {
                guard case .text(let text) = item, text.hasPrefix("$") else {
                    resolved.append(item)
                    continue
                }
                guard let value = definition?.manifestValue(of: String(text.dropFirst())) else {
                    throw .init("app_manifest.json: '\(text)' in \(capability) is in no hardware definition")
                }
                resolved.append(value)
                hasChanged = true
            }
            capabilities[capability] = .list(resolved)
        }
        guard hasChanged else { return json }
        fields["Capabilities"] = .object(capabilities)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return (try? encoder.encode(JSONValue.object(fields))).map { Array($0) } ?? json
    }
}
