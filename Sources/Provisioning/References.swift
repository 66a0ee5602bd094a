import Configuration

/// Reference values for the verifier, each once, in the order in which they were made.
struct References {
    private(set) var all: [ReferenceMeasurement] = []
    private var known: Set<ReferenceMeasurement> = []

    mutating func add(_ measurements: [(type: UInt32, sha256: String)], _ product: Product) {
        for (type, digest) in measurements {
            let value = ReferenceMeasurement(hardware: product.hardwareID, type: type, sha256: digest)
            if known.insert(value).inserted { all.append(value) }
        }
    }
}
