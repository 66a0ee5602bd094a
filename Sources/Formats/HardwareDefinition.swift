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
        if case .object(let description)? = root["Description"] { topContent = description["MainCoreHeaderFileTopContent"]?.strings ?? [] }
        if case .array(let items)? = root["Imports"] {
            for item in items {
                guard case .object(let fields) = item, case .string(let path)? = fields["Path"] else {
                    throw Failure("\(file): an import has no Path")
                }
                guard let content = load(path) else { throw Failure("\(file): cannot find the import '\(path)'") }
                imports.append((path, try HardwareDefinition(content, file: path, depth: depth + 1, load: load)))
            }
        }
        guard case .array(let items)? = root["Peripherals"] else { throw Failure("\(file): no Peripherals") }
        for item in items { peripherals.append(try HardwareDefinition.peripheral(item, file)) }
        var seen: Set<String> = []
        for peripheral in peripherals {
            guard seen.insert(peripheral.name).inserted else { throw Failure("\(file): '\(peripheral.name)' is there twice") }
        }
    }

    private static func peripheral(_ item: JSONValue, _ file: String) throws(Failure) -> Peripheral {
        guard case .object(let fields) = item, case .string(let name)? = fields["Name"], case .string(let type)? = fields["Type"] else {
            throw Failure("\(file): a peripheral has no Name or Type")
        }
        guard let first = name.utf8.first, first > 57,
            name.utf8.allSatisfy({ $0 == 95 || $0 < 128 && ($0 | 32 >= 97 && $0 | 32 <= 122 || $0 >= 48 && $0 <= 57) })
        else { throw Failure("\(file): '\(name)' is no name for C") }
        guard types.contains(type) else { throw Failure("\(file): '\(name)' has the unknown type '\(type)'") }
        func text(_ key: String) -> String? { if case .string(let text)? = fields[key] { text } else { nil } }
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

    /// What a manifest has for a name: a number for pins, a word for the rest.
    ///
    /// A name may stand for something that no import has, as long as nobody uses it: boards' files are for all their owners' apps.
    func manifestValue(of name: String) throws(Failure) -> JSONValue {
        guard let peripheral = find(name, below: false) else {
            guard let mapping = unmapped(name) else { throw Failure("'$\(name)' is in no hardware definition") }
            throw Failure("'$\(name)' stands for '\(mapping)', which is in no hardware definition")
        }
        guard let value = peripheral.manifestValue else { throw Failure("'$\(name)' is a \(peripheral.type), which no manifest has") }
        return value
    }

    /// What a name stands for at the end of its mappings, and nothing is called.
    private func unmapped(_ name: String) -> String? {
        if let own = peripherals.first(where: { $0.name == name }) {
            return own.mapping.map { mapping in imports.lazy.compactMap { $0.definition.unmapped(mapping) }.first ?? mapping }
        }
        return imports.lazy.compactMap { $0.definition.unmapped(name) }.first
    }

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
