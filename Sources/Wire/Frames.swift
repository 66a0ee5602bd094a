/// An event on its way to a node, with what orders it: time, source, source sequence.
public struct Delivery: WireValue {
    public var at: Instant
    public var source: String
    public var sequence: UInt64
    public var event: Event

    public init(at: Instant, source: String, sequence: UInt64, event: Event) {
        self.at = at
        self.source = source
        self.sequence = sequence
        self.event = event
    }

    public static func isBefore(_ a: Delivery, _ b: Delivery) -> Bool {
        if a.at != b.at { return a.at < b.at }
        if a.source != b.source { return a.source < b.source }
        return a.sequence < b.sequence
    }
}

/// Leave to work on all that happens before `until`. `lookahead` is the least time that anything takes
/// from one node to another.
public struct Grant: WireValue {
    public var until: Instant
    public var lookahead: Duration
    public var deliveries: [Delivery]
    public init(until: Instant, lookahead: Duration, deliveries: [Delivery]) {
        self.until = until
        self.lookahead = lookahead
        self.deliveries = deliveries
    }
}

/// What a node did with its grant.
public struct Yield: WireValue {
    public var effects: [Effect]
    public var nextWork: Instant
    public var nextSend: Instant
    /// Since the node's process began.
    public var use: ResourceUse
    public init(effects: [Effect], nextWork: Instant, nextSend: Instant, use: ResourceUse = ResourceUse()) {
        self.use = use
        self.effects = effects
        self.nextWork = nextWork
        self.nextSend = nextSend
    }
}

/// What a process says first. `publicIdentity` is the device ID as its service port shows it.
public struct Hello: WireValue {
    public var node: String
    public var generation: UInt32
    public var publicIdentity: String
    /// Digests of images that somebody has changed on the bench, which the network could not know of else.
    public var marks: [String]
    public init(node: String, generation: UInt32, publicIdentity: String, marks: [String] = []) {
        self.marks = marks
        self.node = node
        self.generation = generation
        self.publicIdentity = publicIdentity
    }
}

/// Everything that crosses a process boundary. The first byte is the version, the second the kind.
public enum Frame: Equatable, Sendable {
    // node → injector
    case hello(Hello)
    case yield(Yield)
    case effects([Effect])
    // injector → node
    case welcome(clock: ClockKind, now: Instant)
    case grant(Grant)
    case deliver([Delivery])
    case stop
    // coordinator → injector
    case processGone(node: String, generation: UInt32)
    case finish
    // injector → coordinator
    case ready
    case journal([Observation])
    case progress(Instant, dropped: UInt64)
    case processWanted(ProcessOrder)
    case finished(Instant)
    /// Bytes for the capture file (pcapng).
    case capture([UInt8])
    case refused(String)

    public static let version: UInt8 = 1
    /// A frame above this is refused unread.
    public static let maximumBytes = 16 << 20
}

/// What the injector asks the coordinator to do to a process: the hands of faults and of bench attacks.
public struct ProcessOrder: WireValue {
    public enum Verb: UInt8, Sendable {
        case kill = 0
        case start = 1
        /// New silicon with another device's flash content (`template`).
        case clone = 2
        /// New silicon with another device's flash and fuses (`template`).
        case duplicate = 3
        /// The flash chip changed on the bench (`template` is a ``FlashEdit``), then power.
        case rewrite = 4
        /// An implant in the flash chip, and the fault that starts it if one does; with the template `undo` both are gone.
        case glitch = 5
        /// All of flash anew, over the debug UART.
        case recover = 6
    }
    public static let undo = "undo"

    public var verb: Verb
    public var node: String
    public var generation: UInt32
    public var template: String
    public init(_ verb: Verb, node: String, generation: UInt32, template: String = "") {
        self.verb = verb
        self.node = node
        self.generation = generation
        self.template = template
    }
}

/// What somebody with a clip on a flash chip does: text inside the primary copy of an image is replaced by other text
/// of the same length.
public struct FlashEdit: Sendable, Equatable {
    /// The image's type, as the boot chain names it.
    public var image: String
    public var find: String
    public var replacement: String

    public init(image: String, find: String, replacement: String) {
        self.image = image
        self.find = find
        self.replacement = replacement
    }

    public var undone: FlashEdit { FlashEdit(image: image, find: replacement, replacement: find) }
    public var encoded: String { "\(image)\n\(find)\n\(replacement)" }

    public init?(_ encoded: String) {
        let parts = encoded.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts[1].utf8.count == parts[2].utf8.count, !parts[1].isEmpty else { return nil }
        self.init(image: parts[0], find: parts[1], replacement: parts[2])
    }
}

public enum ClockKind: String, Sendable, Codable {
    case virtual, wall
}
