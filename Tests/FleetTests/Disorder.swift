import SecureChannel
import Synchronization
import Wire

/// A stream that random bytes come from while one node of one fleet is at work.
final class Draws: Sendable {
    private let stream: Mutex<SeedStream>

    init(_ node: String, generation: UInt32 = 0) {
        stream = Mutex(SeedStream(seed: 1, node: node, purpose: "crypto", generation: Int(generation)))
    }

    func bytes(_ count: Int) -> [UInt8] { stream.withLock { $0.bytes(count) } }

    /// OpenSSL has one generator for the process, and tests run side by side: each task has its own stream, or the system's.
    @TaskLocal static var current: Draws?

    private static let isInstalled: Bool = {
        Randomness.replace { count in
            if let draws = Draws.current { return draws.bytes(count) }
            var system = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &system) }
        }
        return true
    }()

    func drive<T>(_ body: () throws -> T) rethrows -> T {
        precondition(Draws.isInstalled)
        return try Draws.$current.withValue(self, operation: body)
    }
}

/// What operating systems do to processes: who is heard first, who gets on how far, who is held back. It must not matter.
struct Disorder {
    private var draws: SeedStream
    /// Frames to the injector that have not come in yet.
    private var onTheWay: [(frame: Frame, peer: String)] = []

    init(seed: UInt64) { draws = SeedStream(seed: seed, node: "disorder", purpose: "order") }

    mutating func send(_ frame: Frame, from peer: String) { onTheWay.append((frame, peer)) }

    /// Some of what is on the way, in some order; at least one if there is any.
    mutating func arrivals() -> [(frame: Frame, peer: String)] {
        guard !onTheWay.isEmpty else { return [] }
        onTheWay.shuffle(using: &draws)
        let count = Int.random(in: 1...onTheWay.count, using: &draws)
        defer { onTheWay.removeFirst(count) }
        return Array(onTheWay.prefix(count))
    }

    /// A shorter stretch: a node that runs less far says so by its yield.
    mutating func cut(_ grant: Grant, work: Instant) -> Grant {
        guard draws.unit() < 0.5, grant.until > work else { return grant }
        let length = (grant.until - work).nanoseconds
        var shorter = grant
        shorter.until = work + .nanoseconds(Int64.random(in: 1...length, using: &draws))
        return shorter
    }
}
