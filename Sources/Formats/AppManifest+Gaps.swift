/// What manifests of the original may have, and this testbed takes without doing all of it.
extension AppManifest {
    /// Capabilities that are known and not modelled, with what is missing.
    private static let missing: [String: String] = [
        "HeapMemStats": "nobody asks for an app's heap by caller: only totals are counted (azure-sphere APP-5)",
        "ResetMemoryWatermarks": "no call of applibs sets the peak of an app's memory back",
    ]
    private static let interrupts = 0...23

    static func gaps(_ capabilities: [String: Capability], allocator: JSONValue?) -> [String] {
        var words = capabilities.sorted { $0.key < $1.key }.compactMap { name, value in
            value == .flag(false) ? nil : missing[name].map { "\(name) is granted, but \($0)" }
        }
        if let listed = capabilities["ExternalInterrupt"]?.items, !listed.isEmpty {
            words.append(
                "ExternalInterrupt is read, but not enforced: a real-time core has all 24 of them (mt3620-silicon §2.2)")
        }
        if allocator == .integer(2) {
            words.append("MallocVersion 2 is taken, but an app has the allocator that it was linked with")
        }
        return words
    }

    /// Interrupts from pins 0 to 23, by number or as `EINT5`. Which number the original refuses with is not known: that of pins.
    static func externalInterrupts(_ value: JSONValue) throws(Refusal) -> Capability {
        guard case .array(let items) = value else { throw Refusal(10, "ExternalInterrupt is no list") }
        var numbers: [Int] = []
        for item in items {
            let number: Int? =
                switch item {
                case .integer(let number): Int(number)
                case .string(let text): text.hasPrefix("EINT") ? Int(text.dropFirst(4)) : nil
                default: nil
                }
            guard let number, interrupts.contains(number) else {
                throw Refusal(10, "ExternalInterrupt: there are EINT\(interrupts.lowerBound) to EINT\(interrupts.upperBound)")
            }
            numbers.append(number)
        }
        guard Set(numbers).count == numbers.count else { throw Refusal(10, "ExternalInterrupt has one twice") }
        return .numbers(numbers)
    }
}
