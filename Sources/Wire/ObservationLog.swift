import Synchronization

/// Observations of a run in their order, wherever they lie: in memory, or in blocks of which a few are in memory at a time, since the
/// journal of years is larger than that.
public struct ObservationLog: RandomAccessCollection, Sendable, ExpressibleByArrayLiteral {
    /// So many observations are fetched at once.
    public static let blockCount = 256

    private enum Place: Sendable {
        case memory([Observation])
        case blocks(Blocks)
    }

    /// The blocks that were read last: whoever walks through a log needs one, and whoever compares two places needs two.
    private final class Blocks: Sendable {
        private static let kept = 4
        private let fetch: @Sendable (Int) -> [Observation]
        private let cache = Mutex<[(number: Int, block: [Observation])]>([])

        init(_ fetch: @escaping @Sendable (Int) -> [Observation]) { self.fetch = fetch }

        func observation(_ index: Int) -> Observation {
            let (number, place) = index.quotientAndRemainder(dividingBy: ObservationLog.blockCount)
            return cache.withLock { cache in
                if let last = cache.last, last.number == number { return last.block[place] }
                let entry: (number: Int, block: [Observation])
                if let known = cache.firstIndex(where: { $0.number == number }) {
                    entry = cache.remove(at: known)
                } else {
                    if cache.count == Blocks.kept { cache.removeFirst() }
                    entry = (number, fetch(number))
                }
                cache.append(entry)
                return entry.block[place]
            }
        }
    }

    private let place: Place
    public let endIndex: Int
    public var startIndex: Int { 0 }

    public init(_ observations: [Observation]) { (place, endIndex) = (.memory(observations), observations.count) }
    public init(arrayLiteral elements: Observation...) { self.init(elements) }

    /// - Parameter fetch: Gives the block of such a number, from 0: ``blockCount`` observations, or fewer in the last one.
    public init(count: Int, fetch: @escaping @Sendable (_ block: Int) -> [Observation]) {
        (place, endIndex) = (.blocks(Blocks(fetch)), count)
    }

    public subscript(index: Int) -> Observation {
        switch place {
        case .memory(let observations): observations[index]
        case .blocks(let blocks): blocks.observation(index)
        }
    }
}

extension ObservationLog {
    /// One block, to be kept by whoever gives blocks.
    public static func encode(_ block: [Observation]) -> [UInt8] {
        var writer = ByteWriter()
        writer.list(block) { $1.write(to: &$0) }
        return writer.bytes
    }

    public static func decode(_ bytes: [UInt8]) throws(WireError) -> [Observation] {
        var reader = ByteReader(bytes)
        let block = try reader.list { (r) throws(WireError) in try Observation(from: &r) }
        try reader.end()
        return block
    }
}
