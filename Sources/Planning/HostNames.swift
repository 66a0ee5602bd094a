import Fabric
import Wire
import Yams

/// Names that nodes have beside `NODE.CATALOG.internal`: those of the world that apps were written for.
extension PlanReader {
    /// `names: [example.com, "*.azure-devices.net"]`; nil for none.
    func readNames(_ entry: Section) -> [String]? {
        let words = entry.words("names")
        for (text, node) in words { if let why = HostNameGrammar.mistake(in: text) { document.report(node, why) } }
        return words.isEmpty ? nil : words.map { $0.text.lowercased() }
    }

    /// `services: [{ name: Kitchen, type: _http._tcp.example.com, port: 80, text: [path=/] }]`; nil for none.
    func readServices(_ entry: Section, host: String) -> [AdvertisedService]? {
        guard let field = entry.fields["services"] else { return nil }
        let services = (field.sequence ?? []).compactMap { item -> AdvertisedService? in
            guard let service = document.section(item, "a service", keys: ["name", "type", "port", "text"]),
                let name = service.text("name", isRequired: true), let type = service.text("type", isRequired: true),
                service.required("port") != nil, let port = service.count("port", in: 1...65_535)
            else { return nil }
            if !(1...63).contains(name.utf8.count) || name.contains(".") {
                document.report(service.fields["name"], "name: from 1 to 63 bytes without dots")
            }
            let labels = type.split(separator: ".", omittingEmptySubsequences: false)
            if HostNameGrammar.mistake(in: type) != nil || labels.count < 3 || !type.hasPrefix("_")
                || !["_tcp", "_udp"].contains(labels[1])
            {
                document.report(service.fields["type"], "type: expected a type with its domain, such as _http._tcp.example.com")
            }
            let text = service.words("text")
            for (word, node) in text where word.utf8.count > 255 { document.report(node, "text: at most 255 bytes each") }
            return AdvertisedService(instance: name, type: type, host: host, port: UInt16(port), text: text.map(\.text))
        }
        if services.isEmpty { document.report(field, "services: expected a list of services with name, type and port") }
        return services
    }

    /// `wifi: { ssid: House, key: secret12 }`; nil for the network that devices are made for.
    func readWiFi(_ network: Section) -> WiFi? {
        guard let field = network.fields["wifi"], let entry = document.section(field, "wifi", keys: ["ssid", "key"]) else { return nil }
        let ssid = entry.text("ssid", isRequired: true) ?? ""
        if !(1...32).contains(ssid.utf8.count) { document.report(entry.fields["ssid"] ?? field, "ssid: from 1 to 32 bytes") }
        let key = entry.text("key")
        if let key, !(8...63).contains(key.utf8.count) { document.report(entry.fields["key"], "key: from 8 to 63 characters") }
        return WiFi(ssid: ssid, key: key)
    }

    /// Two nodes cannot have one name.
    func checkHosts(_ node: YAMLNode?) {
        var owners: [String: String] = [:]
        let named = plan.devices.map { ($0.name, $0.names ?? []) } + plan.gateways.map { ($0.name, $0.names ?? []) }
        for (owner, names) in named {
            for name in names {
                if let other = owners.updateValue(owner, forKey: name) {
                    document.report(node, "'\(name)' is a name of '\(other)' and of '\(owner)'")
                }
            }
        }
    }
}

/// What may be a host's name (RFC 1123 section 2.1), or a wildcard for all names below one (RFC 4592).
enum HostNameGrammar {
    private static let longest = 253
    private static let longestLabel = 63

    /// Why a text is no name; nil if it is one.
    static func mistake(in text: String) -> String? {
        let shown = String(text.prefix(longest))
        var labels = text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        if labels.first == "*" { labels.removeFirst() }
        let isGood =
            !labels.isEmpty && text.utf8.count <= longest
            && labels.allSatisfy { label in
                (1...longestLabel).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 95 }
            }
        guard isGood else {
            return
                "'\(shown)' is no host's name: labels of letters, digits, '-' and '_' with dots between, such as example.com or *.example.com"
        }
        // What ends in a number is an address.
        if labels.last?.utf8.allSatisfy({ (48...57).contains($0) }) ?? false { return "'\(shown)' is an address, and no name" }
        if labels.last == "internal" { return "'\(shown)': names below 'internal' are the testbed's own" }
        return labels.last == "localhost" ? "'\(shown)' is each node's own name" : nil
    }
}
