import Formats
public import Kernel
public import Silicon

/// What a program finds around it on a bench.
public struct Surroundings {
    /// Pages that it may touch; nil for a program that has room.
    public var memoryBytes: Int?
    /// `NAME=VALUE`, instead of what there is by that name.
    public var environment: [String] = []
    /// What it sees as the root of its file system.
    public var root: (any RootFolder)?
    /// Nothing of that can be changed; else what is written stays in memory.
    public var isReadOnly = false
    public var weaknesses: Set<Weakness> = []
    public init() {}
}

/// A way out of the emulated machine: what carries out what programs do to the network, in real time.
public protocol WayOut: AnyObject {
    /// wlan0's.
    var address: UInt32 { get }
    func take(_ action: NetworkAction)
    /// Whether something may still come.
    var isOpen: Bool { get }
    /// What has come. Waits for it up to so many nanoseconds, or for standard input where that is wanted.
    func wait(_ nanoseconds: Int64, orInput: Bool) -> (events: [NetworkEvent], hasInput: Bool, passed: Int64)
}

/// A program for the A7, or an app as its package has it, with the kernel that it needs, a board and no network but a way out.
public final class ProgramEmulation {
    public enum End: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int)
        case outOfTime
        /// Everybody waits for something that will never come.
        case asleepForEver
        /// An app has asked for it: the device begins again.
        case rebooted
        /// For at most so long.
        case poweredDown(seconds: UInt32)
    }

    public let kernel: Kernel
    public let board = Board()
    private let services = BenchServices()
    private var wayOut: (any WayOut)?

    /// - Parameters:
    ///   - random: The device's generator.
    ///   - sink: What programs write: 1 or 2, and bytes.
    private init(attach: [String], epoch: Int64, random: @escaping (Int) -> [UInt8], sink: @escaping (Int, [UInt8]) -> Void) throws {
        for text in attach { try board.attach(text) }
        let console = StandardStreams()
        console.output = sink
        kernel = Kernel(at: 0, epoch: epoch, console: console, world: board, random: random)
        kernel.services = services
    }

    /// An ELF program: it is found under /bin by its name, and nothing is kept from it.
    /// - Parameter program: nil for one that the root folder has, by its path or by its name in PATH.
    public convenience init(
        _ program: [UInt8]?, name: String, arguments: [String], attach: [String] = [], epoch: Int64, in around: Surroundings,
        random: @escaping (Int) -> [UInt8], sink: @escaping (Int, [UInt8]) -> Void
    ) throws {
        try self.init(attach: attach, epoch: epoch, random: random, sink: sink)
        var policy = Policy()
        policy.weaknesses = around.weaknesses
        policy.memoryBytes = around.memoryBytes ?? policy.memoryBytes
        if let root = around.root { kernel.lay(root, user: policy.user, isReadOnly: around.isReadOnly) }
        var path = name
        if let program {
            path = around.root == nil ? "/bin/\(name)" : "/mnt/program/\(name)"
            kernel.add(path, program, mode: 0o755)
        } else if !name.contains("/") {
            path = ProgramEmulation.folders.map { "\($0)/\(name)" }.first(where: kernel.hasProgram) ?? name
        }
        let searched = around.root == nil ? "PATH=/bin" : "PATH=" + ProgramEmulation.folders.joined(separator: ":")
        let environment = Kernel.environment([searched, "HOME=/", "PWD=/"], around.environment)
        try kernel.start(path, arguments: [name] + arguments, environment: environment, policy: policy)
    }

    /// Where a root folder has its programs.
    private static let folders = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]

    public convenience init(
        _ program: [UInt8], name: String, arguments: [String], attach: [String] = [], epoch: Int64, weaknesses: Set<Weakness> = [],
        random: @escaping (Int) -> [UInt8], sink: @escaping (Int, [UInt8]) -> Void
    ) throws {
        var around = Surroundings()
        around.weaknesses = weaknesses
        try self.init(program, name: name, arguments: arguments, attach: attach, epoch: epoch, in: around, random: random, sink: sink)
    }

    public convenience init(
        _ app: AppImage, mutable: [UInt8]? = nil, attach: [String] = [], epoch: Int64, weaknesses: Set<Weakness> = [],
        memoryBytes: Int? = nil, environment: [String] = [], system: SystemState = SystemState(), pluton: PlutonMailbox? = nil,
        random: @escaping (Int) -> [UInt8], sink: @escaping (Int, [UInt8]) -> Void
    ) throws {
        try self.init(attach: attach, epoch: epoch, random: random, sink: sink)
        (kernel.system, kernel.pluton) = (system, pluton)
        try kernel.start(
            app, mutable: mutable, memoryBytes: memoryBytes ?? Kernel.appMemoryBytes, weaknesses: weaknesses, environment: environment)
    }

    /// The program's time is real time from here on, as far as it waits for somebody outside.
    /// - Parameters:
    ///   - isOnAir: wlan0 is connected, to a network with the internet and its time.
    ///   - hasEthernet: There is an eth0, at a private network.
    public func connect(_ wayOut: any WayOut, isOnAir: Bool = true, hasEthernet: Bool = false) {
        self.wayOut = wayOut
        kernel.network = { [unowned wayOut] in wayOut.take($0) }
        if isOnAir { kernel.wirelessAddress = wayOut.address }
        kernel.wiredAddress = { [services] in services.network.wiredAddress }
        services.connect(isOnAir: isOnAir, hasEthernet: hasEthernet)
    }

    /// When it next has something to do, as far as it knows.
    private var wakeAt: Int64 = 0
    /// `.max` if it waits for ever.
    var nextWork: Int64 { max(kernel.now, min(wakeAt, board.nextInput)) }

    /// One of several that run side by side, without standard input; what comes from the others it finds when it is run again.
    func step(until limit: Int64) -> End? {
        // What reaches the pins is taken in even if no program waits for it.
        if wakeAt > kernel.now { kernel.skip(to: min(wakeAt, board.nextInput, limit)) }
        let stop = kernel.run(until: limit)
        if let end = services.powerEnd { return end }
        switch stop {
        case .reachedLimit: wakeAt = kernel.now
        case .idle(let next): wakeAt = next
        case .wantsInput:
            kernel.provide([])
            wakeAt = kernel.now
        case .ended(let status): return ProgramEmulation.end(status)
        }
        return nil
    }

    /// Something has happened that a program may wait for.
    func wake(at now: Int64) {
        kernel.skip(to: now)
        wakeAt = min(wakeAt, kernel.now)
    }

    private static func end(_ status: UInt32) -> End {
        status & 0x7F == 0 ? .exited(Int32(status >> 8 & 0xFF)) : .killed(signal: Int(status & 0x7F))
    }

    /// - Parameter input: More of standard input; nothing at its end.
    public func run(until limit: Int64, input: () -> [UInt8] = { [] }, isStopped: () -> Bool = { false }) -> End {
        if let wayOut { return run(until: limit, input: input, isStopped: isStopped, wayOut) }
        while !isStopped() {
            let stop = kernel.run(until: min(limit, kernel.now + 100_000_000))
            if let end = services.powerEnd { return end }
            switch stop {
            case .reachedLimit: if kernel.now >= limit { return .outOfTime }
            case .idle(let next):
                if next == .max { return .asleepForEver }
                guard next < limit else { return .outOfTime }
                kernel.skip(to: next)
            case .wantsInput: kernel.provide(input())
            case .ended(let status): return ProgramEmulation.end(status)
            }
        }
        return .outOfTime
    }

    /// Longest stretch, of either time, between two looks at what has come.
    private static let slice: Int64 = 20_000_000

    private func run(until limit: Int64, input: () -> [UInt8], isStopped: () -> Bool, _ wayOut: any WayOut) -> End {
        while !isStopped() {
            let stop = kernel.run(until: min(limit, kernel.now + ProgramEmulation.slice), waits: false)
            if let end = services.powerEnd { return end }
            var (next, wantsInput) = (kernel.now, false)
            switch stop {
            case .ended(let status): return ProgramEmulation.end(status)
            case .reachedLimit: if kernel.now >= limit { return .outOfTime }
            case .wantsInput: (next, wantsInput) = (limit, true)
            case .idle(let due):
                if !wayOut.isOpen {
                    if due == .max { return .asleepForEver }
                    guard due < limit else { return .outOfTime }
                    kernel.skip(to: due)
                    continue
                }
                next = min(due, limit)
            }
            let come = wayOut.wait(min(next - kernel.now, ProgramEmulation.slice), orInput: wantsInput)
            kernel.skip(to: min(next, kernel.now + come.passed))
            for event in come.events { kernel.take(event) }
            if wantsInput, come.hasInput { kernel.provide(input()) }
            if kernel.now >= limit { return .outOfTime }
        }
        return .outOfTime
    }
}

/// What the OS answers on a bench: a device without a network, unless it is given one, whose clock nobody has set.
final class BenchServices: ServiceProvider {
    private let certificates = CertificateServices()
    private(set) var network = NetworkServices(nil, around: .standard, isOnAir: false)
    /// What an app has asked of the power supply.
    private(set) var powerEnd: ProgramEmulation.End?

    func connect(isOnAir: Bool, hasEthernet: Bool) {
        network = NetworkServices(nil, around: .standard, isOnAir: isOnAir, hasEthernet: hasEthernet)
        guard isOnAir else { return }
        network.isOnline = true
        // A device's clock begins in 1970 if no battery has kept it.
        network.lastTime = .init(server: "time.bench", secondsBefore: 0, seconds: BenchServices.epochSeconds)
    }

    private static let epochSeconds: Int64 = 1_767_225_600

    /// The bench's only program has changed its own clock.
    func setClock(by nanoseconds: Int64) {}
    func tlsClient(presents: Bool, roots: [UInt8], isCommon: Bool) throws(Errno) -> TLSClient { throw .ENETUNREACH }
    func sign(_ digest: [UInt8]) throws(Errno) -> (signature: [UInt8], nanoseconds: Int64) { throw .EAGAIN }
    var certificateChain: [UInt8] { [] }
    /// What the monitor was asked to do, and would have done.
    private(set) var monitorCalls: [MonitorCall] = []
    func monitor(_ call: MonitorCall) throws(Errno) {
        switch call {
        case .write(let offset, _, let isChecked): if isChecked, !BenchServices.stagingArea.contains(offset) { throw .EPERM }
        // There is no key here that would have signed anything.
        case .commit(_, _, _, let isChecked), .stageManifest(_, _, _, let isChecked): if isChecked { throw .EPERM }
        }
        monitorCalls.append(call)
    }
    private static let stagingArea: Range<UInt32> = 0x80_0000..<0x100_0000

    func answer(_ operation: ServiceOperation, _ input: [UInt8], at nanoseconds: Int64) throws(Errno) -> ServiceAnswer {
        switch operation {
        case .osVersion: return ServiceAnswer(0, Array("26.11".utf8))
        case .deviceAuthReady: return ServiceAnswer(0)
        case .powerProfile: if Bytes(input).u32(0) ?? 3 > 2 { throw .EINVAL }
        case .clockToHardware: break
        case .deferUpdate, .resumeUpdate: throw .EINVAL
        case .reboot: powerEnd = .rebooted
        case .powerDown: powerEnd = .poweredDown(seconds: Bytes(input).u32(0) ?? 0)
        case .memoryUsage, .wifi, .secureStream, .signDigest: throw .ENOSYS
        default:
            return operation.isOfCertificates
                ? try certificates.answer(operation, input)
                : try network.answer(operation, input, at: BenchServices.epochSeconds + nanoseconds / 1_000_000_000)
        }
        return ServiceAnswer()
    }
}
