/// epoll(7): a set of open files, and what is awaited of each.
final class Poller: OpenFile {
    struct Interest {
        var file: OpenFile
        var events: UInt32
        var data: UInt64
        var descriptor: Int32
        /// What was ready when it was last told, for edges.
        var told: Readiness = []
    }
    static let isEdge: UInt32 = 1 << 31
    static let isOneShot: UInt32 = 1 << 30

    /// In the order in which they were added.
    private(set) var interests: [Interest] = []

    init() { super.init(flags: 0) }

    func add(_ interest: Interest) throws(Errno) {
        guard !interests.contains(where: { $0.descriptor == interest.descriptor && $0.file === interest.file }) else { throw .EEXIST }
        guard interest.file !== self, !((interest.file as? Poller)?.watches(self) ?? false) else { throw .ELOOP }
        interests.append(interest)
    }

    private func watches(_ file: OpenFile) -> Bool {
        interests.contains { $0.file === file || (($0.file as? Poller)?.watches(file) ?? false) }
    }

    func change(_ descriptor: Int32, _ file: OpenFile, events: UInt32, data: UInt64) throws(Errno) {
        guard let index = interests.firstIndex(where: { $0.descriptor == descriptor && $0.file === file }) else { throw .ENOENT }
        interests[index] = Interest(file: file, events: events, data: data, descriptor: descriptor)
    }

    func remove(_ descriptor: Int32, _ file: OpenFile) throws(Errno) {
        guard let index = interests.firstIndex(where: { $0.descriptor == descriptor && $0.file === file }) else { throw .ENOENT }
        interests.remove(at: index)
    }

    private static func ready(_ interest: Interest) -> Readiness {
        interest.file.readiness.intersection([Readiness(rawValue: interest.events), .error, .hangUp])
    }

    /// What is ready now, and is told of.
    func take(_ limit: Int) -> [(events: UInt32, data: UInt64)] {
        interests.removeAll { $0.file.references == 0 }
        var found: [(events: UInt32, data: UInt64)] = []
        for index in interests.indices where found.count < limit {
            let interest = interests[index]
            // A one-shot that was told of waits for `change`.
            guard interest.events & 0xFFFF != 0 || interest.events & Poller.isOneShot == 0 else { continue }
            let ready = Poller.ready(interest)
            let isNews = interest.events & Poller.isEdge == 0 || !ready.subtracting(interest.told).isEmpty
            interests[index].told = ready
            guard !ready.isEmpty, isNews else { continue }
            found.append((ready.rawValue, interest.data))
            if interest.events & Poller.isOneShot != 0 { interests[index].events &= Poller.isOneShot | Poller.isEdge }
        }
        // Who was served goes to the end, so that nobody starves.
        if found.count == limit, limit > 0, limit < interests.count { interests.append(interests.removeFirst()) }
        return found
    }

    override var readiness: Readiness {
        interests.contains { $0.file.references > 0 && !Poller.ready($0).isEmpty } ? [.input] : []
    }
    override var nextEvent: Int64 { interests.map(\.file.nextEvent).min() ?? .max }
}
