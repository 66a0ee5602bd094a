/// Which condition that honest hardware or networks produce. Each is declared in its own file, `Faults/NAME.swift`.
public struct FaultName: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ name: String) { rawValue = name }
    public var description: String { rawValue }
}

/// All that is to be known of a fault beside its code: for `orrery faults`, for reading campaigns, and for judging what others made of it.
public struct FaultDescription: Sendable {
    /// Of every fault of links: whether only what goes to the other side (`to`), comes from it (`from`), or both is concerned.
    public static let direction = Parameter("direction", .word(["to", "from", "both"]), isRequired: false)
    /// Also of every fault of links: a target of its own, or `service`; without it everybody else.
    public static let otherSide = "other-side"

    /// What it is a condition of, and so what its targets are.
    public enum Place: Sendable {
        /// Links: of networks or of devices.
        case links
        case devices
        /// The service, so there is no target to name.
        case service
    }

    /// What its targets are all the while that it lasts.
    public enum Absence: Sendable { case cutOff, poweredOff, hung }

    /// What its parameters cannot be together: which one is wrong, and why.
    public typealias Mistake = @Sendable (Step) -> (parameter: String, why: String)?

    public enum WrongClock: Sendable {
        /// Wrong from then on, until somebody sets it.
        case jump
        /// Ever more wrong while it lasts.
        case drift
        /// Wrong each time that the power was off, whoever has set it before.
        case lost
    }

    public var name: FaultName
    public var summary: String
    public var place: Place
    /// The parameters beside `at`, `target` and `for`.
    public var parameters: [Parameter]
    /// It cannot go on until the end of the run.
    public var needsLength: Bool
    /// It is over as soon as it is done.
    public var isMoment: Bool
    /// What it needs of its targets for itself while it lasts.
    public var holds: Hold?
    public var absence: Absence?
    public var wrongClock: WrongClock?
    /// Whoever listens for its targets may hear nothing of them.
    public var silences: Bool
    /// What its targets have to say comes late: time that was asked for, too, and connections are held for long.
    public var slows: Bool
    /// What it changes is known by a mark: the digest of what is there now.
    public var leavesMarks: Bool
    /// What comes through it may be other bytes than were sent, so that it cannot be read.
    public var spoils: Bool
    public var mistake: Mistake?

    public init(
        _ name: FaultName, _ summary: String, place: Place, parameters: [Parameter] = [], needsLength: Bool = false, isMoment: Bool = false,
        holds: Hold? = nil, absence: Absence? = nil, wrongClock: WrongClock? = nil, silences: Bool = false, slows: Bool = false,
        leavesMarks: Bool = false,
        spoils: Bool = false, mistake: Mistake? = nil
    ) {
        self.name = name
        self.summary = summary
        self.place = place
        self.parameters = parameters
        self.needsLength = needsLength
        self.isMoment = isMoment
        self.holds = holds
        self.absence = absence
        self.wrongClock = wrongClock
        self.silences = silences
        self.slows = slows
        self.leavesMarks = leavesMarks
        self.spoils = spoils
        self.mistake = mistake
    }
}
