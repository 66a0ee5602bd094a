import Silicon

/// One program at work: an address space, open files, threads.
final class Process {
    struct Descriptor {
        var file: OpenFile
        var closesOnExec = false
    }

    let id: Int32
    var parent: Int32
    var group: Int32
    var session: Int32
    let policy: Policy
    var core: ApplicationCore
    var threads: [Thread] = []
    /// The thread whose registers the core has.
    weak var loaded: Thread?
    var files: [Int32: Descriptor] = [:]
    var directory: Node
    var directoryPath = "/"
    /// umask(2).
    var creationMask: UInt32 = 0o022
    var programPath: String
    var arguments: [String]
    var name: String
    var user: UInt32
    var groupOfUser: UInt32
    var heap: Range<UInt32> = 0..<0
    var nextMapping: UInt32 = Loader.mappingsEnd
    var actions: [Int: SignalAction] = [:]
    var pending: [SignalInformation] = []
    /// setitimer(2): ITIMER_REAL.
    var alarmAt = Int64.max
    var alarmInterval: Int64 = 0
    /// timer_create(2), by number.
    var timers: [Int32: ProcessTimer] = [:]
    /// Instructions of threads that are gone, or of before an exec.
    var usedNanoseconds: Int64 = 0
    /// Who waits for this one to leave its memory (vfork).
    weak var lender: Thread?
    /// How it ended, as wait4 tells it; nil while it lives.
    var status: UInt32?
    var peakKiB: UInt32 = 0
    /// When it is next looked at how much memory it has touched.
    var memoryCheckAt: Int64 = 0
    /// personality(2).
    var personality: UInt32 = 0
    /// What it may ask of the security monitor.
    var monitorRights: UInt32

    var memory: UserMemory { UserMemory(space: core.memory) }

    init(
        id: Int32, parent: Int32, policy: Policy, core: ApplicationCore, directory: Node, programPath: String, arguments: [String]
    ) {
        self.id = id
        self.parent = parent
        group = id
        session = id
        self.policy = policy
        self.core = core
        self.directory = directory
        self.programPath = programPath
        self.arguments = arguments
        name = programPath.split(separator: "/").last.map(String.init) ?? ""
        user = policy.user
        groupOfUser = policy.user
        monitorRights = MonitorRight.of(user: policy.user)
    }

    func file(_ descriptor: UInt32) throws(Errno) -> OpenFile {
        guard let entry = files[Int32(bitPattern: descriptor)] else { throw .EBADF }
        return entry.file
    }

    /// The lowest free descriptor from one on.
    func open(_ file: OpenFile, from lowest: Int32 = 0, closesOnExec: Bool = false) throws(Errno) -> UInt32 {
        var number = lowest
        while files[number] != nil { number += 1 }
        guard number < policy.openFiles else {
            file.retain()
            file.release()
            throw .EMFILE
        }
        file.retain()
        files[number] = Descriptor(file: file, closesOnExec: closesOnExec)
        return UInt32(number)
    }

    func close(_ descriptor: Int32) throws(Errno) {
        guard let entry = files.removeValue(forKey: descriptor) else { throw .EBADF }
        entry.file.release()
    }

    func closeAll() {
        for descriptor in files.keys.sorted() { try? close(descriptor) }
    }
}

/// timer_create(2): it sends a signal.
struct ProcessTimer {
    var signal: Int
    var value: UInt32
    var expiresAt = Int64.max
    var interval: Int64 = 0
}

/// What runs: registers, and what it waits for.
final class Thread {
    enum State {
        case ready
        /// In a system call that cannot be answered yet.
        case waiting(SystemCall)
        /// Its memory is lent to a child (vfork).
        case lending
        case gone
    }

    let id: Int32
    unowned let process: Process
    var registers: ApplicationCore.Registers
    var state = State.ready
    /// When the call that it waits in is over in any case.
    var deadline = Int64.max
    /// What a call that waits has written already.
    var written = 0
    /// The kernel's count of changes when the call was last tried.
    var tried = -1
    var mask = SignalSet()
    /// To be restored when the handler that ends a wait returns (sigsuspend, ppoll).
    var maskAfterWait: SignalSet?
    var pending: [SignalInformation] = []
    var alternateStack: (start: UInt32, count: UInt32) = (0, 0)
    /// Zeroed, and somebody woken, when the thread ends (CLONE_CHILD_CLEARTID).
    var clearedAtEnd: UInt32 = 0

    init(id: Int32, process: Process, registers: ApplicationCore.Registers) {
        self.id = id
        self.process = process
        self.registers = registers
    }
}

struct SystemCall {
    var number: UInt32
    var arguments: [UInt32]
}

/// What a program may do, and how much of it.
public struct Policy: Sendable {
    public var user: UInt32 = 1000
    /// Whether it may start others.
    public var mayFork = true
    public var openFiles: Int32 = 1024
    public var threads = 64
    public var processes = 64
    /// Pages of its own that it has touched, after which it is killed (APP-5).
    public var memoryBytes = 64 << 20
    /// What its manifest lists; nil for a program that nothing is kept from.
    public var grants: Grants?
    /// Published weaknesses that the OS still has.
    public var weaknesses: Set<Weakness> = []
    /// Whether what can be written can be run: no sound kernel has that.
    public var runsData = false

    public init() {}
}
