import Wire

/// Whose a stream or a question is: which app's, and under which number the app knows it. Apps count from the same number.
struct AppStreams {
    private var byApp: [Int: [UInt32: UInt32]] = [:]
    private var owners: [UInt32: (app: Int, number: UInt32)] = [:]
    private var next: UInt32 = 0x4000_0000
    /// Where streams lead that apps have asked for.
    private var ports: [UInt32: UInt16] = [:]
    private var connections: [UInt32: Connection] = [:]

    mutating func asked(_ outer: UInt32, for port: UInt16) { ports[outer] = port }
    mutating func opened(_ outer: UInt32, local: Endpoint) { connections[outer] = ports[outer].map { Connection(local, to: $0) } }
    mutating func accepted(_ outer: UInt32, _ connection: Connection) { connections[outer] = connection }

    /// Those of an app's that are open, for whoever asks what it was doing.
    func connections(of app: Int) -> [Connection] {
        connections.filter { owners[$0.key]?.app == app }.sorted { $0.key < $1.key }.map(\.value)
    }

    mutating func outer(_ number: UInt32, of app: Int) -> UInt32 {
        if let known = byApp[app]?[number] { return known }
        // What the fabric has numbered keeps its number.
        let outer = number & StreamID.accepted != 0 ? number : next
        if outer == next { next += 1 }
        byApp[app, default: [:]][number] = outer
        owners[outer] = (app, number)
        return outer
    }

    func owner(_ outer: UInt32) -> (app: Int, number: UInt32)? { owners[outer] }

    /// The apps are gone; numbers are not given twice.
    mutating func forgetAll() { (byApp, owners, ports, connections) = ([:], [:], [:], [:]) }

    mutating func forget(_ outer: UInt32) {
        guard let (app, number) = owners.removeValue(forKey: outer) else { return }
        byApp[app]?[number] = nil
        (ports[outer], connections[outer]) = (nil, nil)
    }
}
