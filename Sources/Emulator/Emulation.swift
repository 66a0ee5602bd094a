public import Formats
public import Silicon

/// One real-time core with a board around it, run until its program ends, hangs, or time is up.
public final class Emulation {
    public enum End: Equatable, Sendable {
        case outOfTime
        case exited(Int32)
        case lockedUp(CoreFault)
        /// It waits for something that will never come.
        case asleepForEver
        /// A debugger has it stop there.
        case breakpoint
    }

    /// What happens, as it happens, with its instant in nanoseconds.
    public enum Event: Equatable, Sendable {
        case serial(SerialPortName, [UInt8])
        case attachment(place: String, text: String)
        case fault(CoreFault)
        case reset(String)
        /// The program's own words, by semihosting.
        case console([UInt8])
    }

    public let core: RealTimeCore
    public let board: Board
    private let sink: (Int64, Event) -> Void
    private var semihosting = Semihosting()
    /// What the core has locked up for.
    private var lockUp: CoreFault?

    /// Longest stretch between two looks at whether somebody has stopped it.
    private static let slice: Int64 = 50_000_000

    /// - Parameter chip: Whose core it is.
    public init(
        _ program: ELFImage, chip: Chip = .mt3620, firewall: Firewall = .open, attach: [String], sink: @escaping (Int64, Event) -> Void
    ) throws {
        board = Board(chip === Chip.mt3620 ? nil : chip)
        var partner: HighLevelPartner?
        for text in attach {
            // The other core is no sensor: it sits at the mailbox.
            if text.hasPrefix("app@a7"), chip === Chip.mt3620 { partner = try Emulation.partner(text) } else { try board.attach(text) }
        }
        self.sink = sink
        core = try RealTimeCore(program, chip: chip, world: board, at: 0, firewall: firewall)
        core.answersSemihosting = true
        core.partner = partner
        core.onPartner = { now, text in sink(now, .attachment(place: "a7", text: text)) }
        board.onSerial = { now, port, byte in sink(now, .serial(port, [byte])) }
        board.onEvent = { now, place, text in sink(now, .attachment(place: place, text: text)) }
    }

    public static let partnerHelp = "app@a7:COMPONENT-ID  a high-level app that writes each second, and tells what it is answered"

    private static func partner(_ text: String) throws(AttachmentError) -> HighLevelPartner {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let component = GUID(parts[1]) else {
            throw AttachmentError("'\(text)': expected app@a7:COMPONENT-ID, such as app@a7:25025d2c-66da-4448-bae1-ac26fcdd3627")
        }
        return HighLevelPartner(component: component)
    }

    /// Carries what high-level apps of the same chip say.
    func joinApps() { core.partner = HighLevelPartner() }

    /// A program with its board at an instant, in a file.
    public struct Snapshot: Codable {
        public var core: CoreSnapshot
        public var board: Board.Snapshot
    }

    public var snapshot: Snapshot { Snapshot(core: core.snapshot, board: board.snapshot) }

    /// Goes on where a snapshot was taken; attachments are those that it names.
    public convenience init(
        _ program: ELFImage, chip: Chip = .mt3620, firewall: Firewall = .open, _ snapshot: Snapshot, sink: @escaping (Int64, Event) -> Void
    ) throws {
        try self.init(program, chip: chip, firewall: firewall, attach: snapshot.board.names, sink: sink)
        try core.restore(snapshot.core)
        board.restore(snapshot.board)
    }

    public func run(until limit: Int64, isStopped: () -> Bool = { false }) -> End {
        while core.now < limit, !isStopped() {
            switch core.run(until: min(limit, core.now + Emulation.slice)) {
            case .reachedDeadline:
                if core.nextWork == .max { return lockUp.map { .lockedUp($0) } ?? .asleepForEver }
            case .faulted(let fault): sink(core.now, .fault(fault))
            case .lockedUp(let fault):
                sink(core.now, .fault(fault))
                lockUp = fault
                // A watchdog that runs will help; and its UARTs send what they hold.
                if core.nextWork == .max { return .lockedUp(fault) }
            case .reset(let reason):
                lockUp = nil
                sink(core.now, .reset(reason))
            case .breakpoint: return .breakpoint
            case .semihosting:
                switch semihosting.answer(core) {
                case .print(let bytes): sink(core.now, .console(bytes))
                case .exit(let code):
                    core.finishSending()
                    return .exited(code)
                case .none: break
                }
            }
        }
        return .outOfTime
    }
}
