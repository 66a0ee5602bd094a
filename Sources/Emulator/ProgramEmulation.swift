import Formats
public import Kernel
public import Silicon

/// A program for the A7, or an app as its package has it, with the kernel that it needs, a board and no network.
public final class ProgramEmulation {
    public enum End: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int)
        case outOfTime
        /// Everybody waits for something that will never come.
        case asleepForEver
    }

    public let kernel: Kernel
    public let board = Board()
    private let services = BenchServices()

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
    public convenience init(
        _ program: [UInt8], name: String, arguments: [String], attach: [String] = [], epoch: Int64, weaknesses: Set<Weakness> = [],
        random: @escaping (Int) -> [UInt8], sink: @escaping (Int, [UInt8]) -> Void
    ) throws {
        try self.init(attach: attach, epoch: epoch, random: random, sink: sink)
        kernel.add("/bin/\(name)", program, mode: 0o755)
        var policy = Policy()
        policy.weaknesses = weaknesses
        try kernel.start("/bin/\(name)", arguments: [name] + arguments, environment: ["PATH=/bin", "HOME=/", "PWD=/"], policy: policy)
    }

    public convenience init(
        _ app: AppImage, mutable: [UInt8]? = nil, attach: [String] = [], epoch: Int64, weaknesses: Set<Weakness> = [],
        system: SystemState = SystemState(), pluton: PlutonMailbox? = nil,
        random: @escaping (Int) -> [UInt8], sink: @escaping (Int, [UInt8]) -> Void
    ) throws {
        try self.init(attach: attach, epoch: epoch, random: random, sink: sink)
        (kernel.system, kernel.pluton) = (system, pluton)
        try kernel.start(app, mutable: mutable, weaknesses: weaknesses)
    }

    /// When it next has something to do, as far as it knows.
    private var wakeAt: Int64 = 0
    /// `.max` if it waits for ever.
    var nextWork: Int64 { max(kernel.now, min(wakeAt, board.nextInput)) }

    /// One of several that run side by side, without standard input; what comes from the others it finds when it is run again.
    func step(until limit: Int64) -> End? {
        // What reaches the pins is taken in even if no program waits for it.
        if wakeAt > kernel.now { kernel.skip(to: min(wakeAt, board.nextInput, limit)) }
        switch kernel.run(until: limit) {
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
        while !isStopped() {
            switch kernel.run(until: min(limit, kernel.now + 100_000_000)) {
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
}

/// What the OS answers on a bench: a device without a network, whose clock nobody has set.
final class BenchServices: ServiceProvider {
    private let certificates = CertificateServices()

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
        case .deviceAuthReady, .networkReady: return ServiceAnswer(0)
        case .timeSyncEnabled: return ServiceAnswer(1)
        case .networkInterfaces: return ServiceAnswer(1, [1, 1, 1, 0] + Array("wlan0".utf8) + [UInt8](repeating: 0, count: 11))
        case .networkStatus:
            guard input == Array("wlan0".utf8) else { throw .ENOENT }
            return ServiceAnswer(0, UInt32(1).littleEndianBytes)
        case .powerProfile: if Bytes(input).u32(0) ?? 3 > 2 { throw .EINVAL }
        case .networkEnable, .timeSyncEnable, .clockToHardware: break
        case .deferUpdate, .resumeUpdate: throw .EINVAL
        case .reboot, .powerDown, .memoryUsage, .wifi, .enterpriseWifi, .networkConfig, .secureStream, .signDigest: throw .ENOSYS
        default: return try certificates.answer(operation, input)
        }
        return ServiceAnswer()
    }
}
