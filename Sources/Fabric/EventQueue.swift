import Wire

/// A binary heap in the order of the run: time, then source, then the source's own sequence.
struct EventQueue<Item> {
    struct Entry {
        var at: Instant
        var source: Origin
        var sequence: UInt64
        var item: Item

        func precedes(_ other: Entry) -> Bool {
            if at != other.at { return at < other.at }
            if source != other.source { return source < other.source }
            return sequence < other.sequence
        }
    }

    private var heap: [Entry] = []

    var first: Entry? { heap.first }

    mutating func push(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Entry? {
        guard let top = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < heap.count && heap[child].precedes(heap[least]) { least = child }
                guard least != parent else { break }
                heap.swapAt(parent, least)
                parent = least
            }
        }
        return top
    }
}
