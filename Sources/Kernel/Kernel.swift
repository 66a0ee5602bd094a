public import Formats
public import Silicon

/// Runs programs for ARM Linux in address spaces of their own, on one emulated Cortex-A7. It touches nothing of the machine
/// that it runs on: what programs say and want goes through the console, and time is what it is told.
public final class Kernel {
    public enum Stop: Equatable, Sendable {
        case reachedLimit
        /// Nothing will happen any more by itself before this time, `.max` for ever.
        case idle(until: Int64)
        /// A program reads standard input, and there is none yet.
        case wantsInput
        /// The first program has ended, as wait4 tells it.
        case ended(status: UInt32)
    }

    /// Something for whoever looks after the device.
    public enum Event: Equatable, Sendable {
        /// A system call that there is not.
        case unknownCall(number: UInt32, program: String)
        /// The firewall kept a program from a host or a port.
        case denied(target: String, program: String)
        /// A program was ended by a signal that it did not handle: what a crash record has.
        case crashed(program: String, CrashRecord)
        /// A file of the OS's own was not as it should be, as when somebody has been at work.
        case tampered(String)
        /// The OS cannot go on.
        case panic(String)
        /// TLS of a program's, as far as it came.
        case secured(Secured)
        /// A program cannot be started as it is.
        case notStarted(Obstacle)
        /// A program has used more memory than it may, and is killed.
        case outOfMemory(program: String, usedKiB: Int, limitKiB: Int)
    }

    /// What keeps a program from being started, and which one.
    public enum Obstacle: Equatable, Sendable {
        /// What would load its libraries is not there (PT_INTERP).
        case noLoader(String, of: String)
        /// What a script says that it is to be run by is not there.
        case noInterpreter(String, of: String)
        case format(ELFImage.Failure, of: String)
        case missing(String)
        /// It may not be run, or is no file.
        case closed(String)

        public var text: String {
            switch self {
            case .noLoader(let loader, let program): "\(program) needs \(loader) to load its libraries, which is not there"
            case .noInterpreter(let interpreter, let script): "\(script) is a script for \(interpreter), which is not there"
            case .missing(let program): "there is no program \(program)"
            case .closed(let program): "\(program) is not executable"
            case .format(let failure, let program): "\(program) is \(failure)"
            }
        }
    }

    public let console: StandardStreams
    public var onEvent: (Int64, Event) -> Void = { _, _ in }
    /// Told of each system call that has been answered; nil if nobody wants to know.
    public var onCall: ((Int64, CallRecord) -> Void)?
    /// Nanoseconds of the device's time.
    public internal(set) var now: Int64
    /// What wall clocks show at time 0, in nanoseconds since 1970.
    public var epoch: Int64
    /// What its name server tells of services.
    public var serviceRecords: [ServiceRecord] = []
    /// Whether the device's network can be reached.
    public var isLinked: () -> Bool = { true }
    let tree = FileTree()
    let random: (Int) -> [UInt8]
    private(set) var chip: Chip?
    /// The device's Pluton; nil for a kernel without one.
    public var pluton: PlutonMailbox?
    var plutonQueue = PlutonQueue()
    public var system = SystemState()
    /// Whose system call is being answered.
    var running: Thread?
    /// Who answers /dev/services.
    public weak var services: (any ServiceProvider)?
    /// Carries out what programs do to the network; nil for a device without one.
    public var network: ((NetworkAction) -> Void)?
    /// The address of wlan0, for programs that ask what there is; nil as long as it has none.
    public var wirelessAddress: UInt32?
    /// That of eth0, where there is one that is on.
    public var wiredAddress: () -> UInt32? = { nil }
    /// Carries a message to another app of the device, by its component ID.
    public var interCore: ((GUID, [UInt8]) -> Bool)?
    /// Whether the way to another app has room for the longest message.
    public var hasRoom: ((GUID) -> Bool)?
    /// Makes the mutable file safe; false if the power goes meanwhile.
    public var onSync: (() -> Bool)?
    private var componentSockets: [(component: GUID, socket: ComponentSocket)] = []
    private(set) lazy var stack = NetworkStack(self)
    private var eventFiles: [EventFile] = []
    var processes: [Int32: Process] = [:]
    private var order: [Thread] = []
    private var lastRun = 0
    private var nextID: Int32 = 1
    /// Counts what may let a waiting call go on.
    private(set) var changes = 0
    var unknownCalls: Set<UInt32> = []
    /// Of the program that could not be started last.
    var obstacle: Obstacle?
    var futexWaiters: [FutexKey: [Thread]] = [:]
    /// Engines without a program: a new one costs more than an old one.
    private var spareCores: [ApplicationCore] = []
    private var firstProcess: Int32 = 0

    /// How long a thread runs before the next has its turn.
    private static let turn: Int64 = 2_000_000
    private static let shortestInterval: Int64 = 50_000
    private static let memoryCheckEvery: Int64 = 100_000
    /// What a program does that is seen outside: exit, write, pwrite64, writev, exit_group, sendto, sendmsg.
    private static let callsSeenOutside: Set<UInt32> = [1, 4, 146, 181, 248, 290, 296]
    private static let nanosecondsPerInstruction = 1_000_000_000 / ApplicationCore.hertz

    /// - Parameter world: What is on the chip's pins; nil for a kernel without any.
    public init(
        at nanoseconds: Int64, epoch: Int64, console: StandardStreams, world: (any World)? = nil, random: @escaping (Int) -> [UInt8]
    ) {
        now = nanoseconds
        self.epoch = epoch
        self.console = console
        self.random = random
        tree.now = { [unowned self] in self.epoch + self.now }
        buildTree()
        if let world {
            let chip = Chip(world) { [unowned self] in now }
            self.chip = chip
            addDevices(chip)
        }
    }

    /// Tells programs of an event of the system's (SysEvent).
    public func post(event: UInt32, status: UInt32, maximumMinutes: UInt32, updateType: UInt32) {
        eventFiles.removeAll { $0.references == 0 }
        for file in eventFiles { file.post([event, status, maximumMinutes, updateType]) }
        changed()
    }

    public var hasEventListeners: Bool { eventFiles.contains { $0.references > 0 } }

    func openEvents() -> EventFile {
        let file = EventFile()
        eventFiles.append(file)
        return file
    }

    /// Starts the first program.
    public func start(_ path: String, arguments: [String], environment: [String], policy: Policy) throws(StartFailure) {
        placeSystemFiles()
        do throws(Errno) {
            let process = Process(
                id: takeID(), parent: 0, policy: policy, core: try takeCore(), directory: tree.root, programPath: path,
                arguments: arguments)
            for stream in 0..<3 { _ = try process.open(ConsoleFile(console, stream: stream)) }
            processes[process.id] = process
            firstProcess = process.id
            showProcess(process)
            let thread = Thread(id: process.id, process: process, registers: process.core.registers)
            add(thread)
            try execute(thread, path, arguments, environment)
        } catch {
            throw StartFailure(
                error: error, obstacle: obstacle ?? (error == .ENOENT ? .missing(path) : error == .EACCES ? .closed(path) : nil))
        }
    }

    public struct StartFailure: Error, Equatable, Sendable, CustomStringConvertible {
        public var error: Errno
        /// What is in the way, where more is known than the error.
        public var obstacle: Obstacle?
        public var description: String { obstacle?.text ?? "\(error)" }
    }

    /// More of standard input; nothing at its end.
    public func provide(_ bytes: [UInt8]) {
        console.provide(bytes)
        changed()
    }

    /// Something has come from the network.
    public func take(_ event: NetworkEvent) { stack.take(event) }

    /// A message from another app of the device.
    ///
    /// - Returns: False if one that listens has no room for it: then nobody has got it.
    public func take(_ payload: [UInt8], from component: GUID) -> Bool {
        componentSockets.removeAll { $0.socket.references == 0 }
        let listeners = componentSockets.filter { $0.component == component }.map(\.socket)
        guard listeners.allSatisfy(\.hasRoom) else { return false }
        for socket in listeners { socket.deliver(payload) }
        changed()
        return true
    }

    /// The way to another app has room again.
    public func noteRoom() { changed() }

    func register(_ socket: ComponentSocket, for component: GUID) {
        componentSockets.removeAll { $0.socket === socket }
        componentSockets.append((component, socket))
    }

    /// Whether a program listens on a port.
    public func owns(port: UInt16) -> Bool { stack.owns(port: port) }

    func deny(_ target: String, _ process: Process) { onEvent(now, .denied(target: target, program: process.name)) }

    /// Puts a file where programs find it.
    public func add(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) { tree.place(.file(bytes), at: path, mode: mode) }

    /// Whether a program could be started by this path.
    public func hasProgram(_ path: String) -> Bool {
        guard let node = (try? tree.find(path, from: (tree.root, "/"), for: nil))?.node else { return false }
        return node.isFile && node.mode & 0o111 != 0
    }

    // MARK: Threads and processes

    func takeID() -> Int32 {
        defer { nextID += 1 }
        return nextID
    }

    func takeCore() throws(Errno) -> ApplicationCore {
        if let core = spareCores.popLast() { return core }
        guard let core = try? ApplicationCore() else { throw .ENOMEM }
        return core
    }

    func giveBack(_ core: ApplicationCore) {
        core.memory.unmapAll()
        if spareCores.count < 4 { spareCores.append(core) }
    }

    func add(_ thread: Thread) {
        thread.process.threads.append(thread)
        order.append(thread)
        changed()
    }

    func remove(_ thread: Thread) {
        thread.state = .gone
        thread.process.threads.removeAll { $0 === thread }
        order.removeAll { $0 === thread }
        changed()
    }

    func thread(_ id: Int32) -> Thread? { order.first { $0.id == id } }

    func changed() { changes += 1 }

    // MARK: Running

    /// Runs until a time, or until nothing can go on.
    /// - Parameter waits: Whether time may jump to what is next due before the limit; else that is for the caller to do.
    public func run(until limit: Int64, waits: Bool = true) -> Stop {
        while true {
            fireTimers()
            if let chip, chip.settle() { changed() }
            if let status = processes[firstProcess]?.status ?? (processes.isEmpty ? 0 : nil) { return .ended(status: status) }
            guard now < limit else { return .reachedLimit }
            if let thread = nextThread() {
                run(thread, until: min(limit, now + Kernel.turn))
                continue
            }
            if console.wantsInput { return .wantsInput }
            let next = nextEvent
            guard next < limit, waits else { return .idle(until: next) }
            now = max(now, next)
            changed()
        }
    }

    /// The device's time has gone on, with nothing to do here.
    public func skip(to nanoseconds: Int64) {
        guard nanoseconds > now else { return }
        now = nanoseconds
        changed()
    }

    /// What the OS itself has to compute takes time, too.
    func spend(_ nanoseconds: Int64) { now += max(0, nanoseconds) }

    /// The next thread that can go on, after the one that had its turn last.
    private func nextThread() -> Thread? {
        for offset in 1...max(1, order.count) where !order.isEmpty {
            let index = (lastRun + offset) % order.count
            let thread = order[index]
            if isReady(thread) {
                lastRun = order.firstIndex { $0 === thread } ?? 0
                return thread
            }
        }
        return nil
    }

    private func isReady(_ thread: Thread) -> Bool {
        switch thread.state {
        case .ready: return true
        case .gone, .lending: return false
        case .waiting(let call):
            guard thread.tried != changes || thread.deadline <= now else { return false }
            thread.tried = changes
            return goOn(thread, with: call)
        }
    }

    /// Tries a call again that had to wait; true if the thread goes on.
    private func goOn(_ thread: Thread, with call: SystemCall) -> Bool {
        if hasSignal(thread) {
            interrupt(thread, call)
            return true
        }
        switch answer(thread, call) {
        case .value(let value):
            thread.registers.general[0] = value
            unload(thread)
            wake(thread)
            return true
        case .wait: return false
        case .replaced, .noAnswer:
            if case .gone = thread.state { return false }
            wake(thread)
            return true
        }
    }

    func wake(_ thread: Thread) {
        thread.state = .ready
        thread.deadline = .max
        if let mask = thread.maskAfterWait, !hasSignal(thread) { (thread.mask, thread.maskAfterWait) = (mask, nil) }
    }

    /// One thread's turn.
    private func run(_ thread: Thread, until limit: Int64) {
        let process = thread.process
        load(thread)
        while now < limit {
            if hasSignal(thread) {
                save(thread)
                guard deliverSignals(thread) else { return }
                load(thread, anew: true)
            }
            let core = process.core
            let before = core.instructions
            let stop = core.run(instructions: max(1, (limit - now) / Kernel.nanosecondsPerInstruction))
            let used = (core.instructions - before) * Kernel.nanosecondsPerInstruction
            now += used
            process.usedNanoseconds += used
            switch stop {
            case .outOfTime: break
            case .signal(let signal, let address, let pc):
                save(thread)
                thread.registers.general[15] = pc
                fault(thread, signal, address: address)
                load(thread, anew: true)
            case .systemCall(let number, let arguments):
                let call = SystemCall(number: number, arguments: arguments)
                if checkMemory(process, before: call) { continue }
                guard handle(thread, call) else { return }
                fireTimers()
            }
        }
        save(thread)
        checkMemory(process)
    }

    /// A program that has touched more than it may have is killed, as the original does (APP-5). The engine does not say when a page
    /// is touched: it is looked at when the program calls, at the latest when somebody could see what it did.
    @discardableResult
    private func checkMemory(_ process: Process, before call: SystemCall? = nil) -> Bool {
        let limit = process.policy.memoryBytes
        let isSeen = call.map { Kernel.callsSeenOutside.contains($0.number) } ?? false
        guard process.status == nil, isSeen || now >= process.memoryCheckAt, process.core.memory.privateBytes > limit else { return false }
        process.memoryCheckAt = now + Kernel.memoryCheckEvery
        let used = process.core.memory.touchedBytes
        guard used > limit else { return false }
        onEvent(now, .outOfMemory(program: process.name, usedKiB: used >> 10, limitKiB: limit >> 10))
        send(SignalInformation(number: SignalNumber.kill), to: process)
        return true
    }

    /// True if the thread goes on at once.
    private func handle(_ thread: Thread, _ call: SystemCall) -> Bool {
        switch answer(thread, call) {
        case .value(let value):
            thread.process.core.answer(value)
            return true
        case .wait(let deadline):
            save(thread)
            thread.state = .waiting(call)
            thread.deadline = deadline
            thread.tried = changes
            return false
        case .replaced:
            load(thread, anew: true)
            return true
        case .noAnswer: return false
        }
    }

    /// Its registers were changed while it did not run.
    func unload(_ thread: Thread) { if thread.process.loaded === thread { thread.process.loaded = nil } }

    func save(_ thread: Thread) { if thread.process.loaded === thread { thread.registers = thread.process.core.registers } }

    func load(_ thread: Thread, anew: Bool = false) {
        guard anew || thread.process.loaded !== thread else { return }
        thread.process.core.registers = thread.registers
        thread.process.loaded = thread
    }

    // MARK: Time

    private var nextEvent: Int64 {
        var next = Int64.max
        for thread in order {
            if case .waiting = thread.state { next = min(next, thread.deadline, nextEvent(of: thread.process)) }
        }
        for process in processes.values where process.status == nil {
            next = min(next, process.alarmAt)
            for timer in process.timers.values { next = min(next, timer.expiresAt) }
        }
        return next
    }

    /// Files that a waiting call looks at may change by themselves.
    private func nextEvent(of process: Process) -> Int64 {
        min(process.files.values.map { $0.file.nextEvent }.min() ?? .max, chip?.nextInput ?? .max)
    }

    /// When a timer is due again that was due. What it has missed counts once, as a pending signal does; and it leaves the program
    /// time to run.
    private static func next(after due: Int64, each interval: Int64, at now: Int64) -> Int64 {
        guard interval > 0 else { return .max }
        let missed = (now - due) / interval
        let (next, isTooFar) = due.addingReportingOverflow((missed + 1) * interval)
        return isTooFar ? .max : max(next, now + shortestInterval)
    }

    private func fireTimers() {
        // After each call: usually nobody has one that is due.
        let isDue = processes.values.contains { process in
            process.status == nil && (process.alarmAt <= now || process.timers.values.contains { $0.expiresAt <= now })
        }
        guard isDue else { return }
        for process in processes.values.sorted(by: { $0.id < $1.id }) where process.status == nil {
            if process.alarmAt <= now {
                process.alarmAt = Kernel.next(after: process.alarmAt, each: process.alarmInterval, at: now)
                send(SignalInformation(number: SignalNumber.alarm), to: process)
            }
            for number in process.timers.keys.sorted() {
                guard let timer = process.timers[number], timer.expiresAt <= now else { continue }
                process.timers[number]?.expiresAt = Kernel.next(after: timer.expiresAt, each: timer.interval, at: now)
                if timer.signal > 0 { send(SignalInformation(number: timer.signal, code: -2, value: timer.value), to: process) }
            }
        }
    }
}
