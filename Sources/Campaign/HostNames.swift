/// Names that nodes have beside `NODE.CATALOG.internal`: those of the world that apps were written for.
extension PlanReader {
    /// `names: [example.com, "*.azure-devices.net"]`; nil for none.
    func readNames(_ entry: Section) -> [String]? {
        let words = entry.words("names")
        for (text, node) in words { if let why = HostNameGrammar.mistake(in: text) { document.report(node, why) } }
        return words.isEmpty ? nil : words.map { $0.text.lowercased() }
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
