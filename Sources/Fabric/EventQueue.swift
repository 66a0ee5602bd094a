import HeapModule
import Wire

/// What is due, in the order of the run: time, then source, then the source's own sequence.
struct EventQueue<Item> {
    struct Entry: Comparable {
        var at: Instant
        var source: Origin
        var sequence: UInt64
        var item: Item

        static func < (one: Entry, other: Entry) -> Bool {
            if one.at != other.at { return one.at < other.at }
            if one.source != other.source { return one.source < other.source }
            return one.sequence < other.sequence
        }

        /// The order is total: no two entries of one source have the same sequence.
        static func == (one: Entry, other: Entry) -> Bool {
            one.at == other.at && one.source == other.source && one.sequence == other.sequence
        }
    }

    private var heap = Heap<Entry>()

    var first: Entry? { heap.min }

    mutating func push(_ entry: Entry) { heap.insert(entry) }

    mutating func pop() -> Entry? { heap.popMin() }
}
