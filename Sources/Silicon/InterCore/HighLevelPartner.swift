public import Formats

/// What stands for the A7 and its app where only a real-time core runs: opens the way to the core, sends it a message each
/// second, and tells what comes back (mt3620-silicon §4.5).
public struct HighLevelPartner: Codable {
    private static let every: Int64 = 1_000_000_000

    /// One app's message to another, by the sender's or the receiver's component ID.
    public struct Message: Codable, Equatable, Sendable {
        public var component: GUID
        public var payload: [UInt8]
        public init(component: GUID, payload: [UInt8]) {
            self.component = component
            self.payload = payload
        }
    }

    private let component: [UInt8]
    /// Empty for one that only carries what others say.
    private let text: String
    private var toSend: [Message] = []
    private var received: [Message] = []
    private var link = InterCoreLink(base: InterCoreLink.buffers)
    private var setupLeft: [Mailbox.Message]
    private var nextAt = HighLevelPartner.every
    private var count = 0
    /// The core has written something that was not read yet.
    private var mustReceive = false
    /// Whoever reads is not there: what the core writes stays in its ring, and the core sees when it is full.
    var holds = false
    /// When the ring is looked at again that had no room.
    private var retryAt = Int64.max
    private static let retryEvery: Int64 = 1_000_000

    /// - Parameters:
    ///   - component: Component ID of the high-level app, as the real-time app's manifest allows it.
    ///   - text: What is sent, with a number of two digits behind it.
    public init(component: GUID, text: String = "hl-app-to-rt-app-") {
        self.component = component.bytes
        self.text = text
        setupLeft = link.setup
    }

    /// Carries messages of real apps on the A7.
    public init() {
        self.component = []
        text = ""
        setupLeft = link.setup
        nextAt = .max
    }

    /// What a message of so many bytes takes of the way to the core.
    public static func ringBytes(ofPayload count: Int) -> Int { InterCoreLink.bytes(ofPayload: count) }

    /// What the way to the core has room for, beside what waits for it already, in bytes of the ring.
    func roomBytes(_ bus: Bus) -> Int {
        link.freeBytes(bus.memory) - toSend.reduce(0) { $0 + InterCoreLink.bytes(ofPayload: $1.payload.count) }
    }

    mutating func post(_ message: Message) { toSend.append(message) }
    mutating func takeReceived() -> [Message] {
        defer { received = [] }
        return received
    }

    /// At once while the core has not been told where the rings are.
    var nextEvent: Int64 {
        if link.isHalted { return .max }
        if !setupLeft.isEmpty || mustReceive && !holds { return 0 }
        return toSend.isEmpty ? nextAt : retryAt == .max ? 0 : min(nextAt, retryAt)
    }

    /// Does what is due; returns what is to be seen of it.
    mutating func advance(_ bus: Bus, _ mailbox: inout Mailbox) -> [String] {
        var seen: [String] = []
        let wasHalted = link.isHalted
        while let message = setupLeft.first, mailbox.deliver(message) { setupLeft.removeFirst() }
        let sent = mailbox.takeSent()
        if sent.interrupts & 1 != 0 { mustReceive = true }
        if mustReceive, !holds {
            mustReceive = false
            for message in link.receive(bus.memory) {
                if text.isEmpty {
                    if let component = GUID(bytes: message.component) {
                        received.append(.init(component: component, payload: message.payload))
                    }
                    continue
                }
                let words = String(decoding: message.payload.prefix { $0 != 0 }, as: UTF8.self)
                seen.append("received \(message.payload.count) bytes: \(words)")
            }
            mailbox.raise(1)
        }
        if setupLeft.isEmpty, !toSend.isEmpty, !link.isHalted {
            retryAt = .max
            let waiting = toSend.count
            while let message = toSend.first {
                let refusal = link.send(.init(component: message.component.bytes, payload: message.payload), bus.memory)
                if refusal == .full {
                    retryAt = bus.now + HighLevelPartner.retryEvery
                    break
                }
                if let refusal { seen.append("cannot send: \(refusal)") }
                toSend.removeFirst()
            }
            if toSend.count < waiting { mailbox.raise(2) }
        }
        if nextAt <= bus.now, !link.isHalted {
            let number = count < 10 ? "0\(count)" : "\(count)"
            let refusal = link.send(.init(component: component, payload: Array((text + number).utf8)), bus.memory)
            if let refusal { seen.append("cannot send: \(refusal)") } else { mailbox.raise(2) }
            count = (count + 1) % 100
            nextAt += HighLevelPartner.every
        }
        if link.isHalted && !wasHalted { seen.append("the channel is halted: the core has broken its rules") }
        return seen
    }
}
