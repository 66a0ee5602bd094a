import Formats
public import Kernel

/// One ARM Linux program and those that it starts, with the kernel that they need and no network.
public final class ProgramEmulation {
    public enum End: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int)
        case outOfTime
        /// Everybody waits for something that will never come.
        case asleepForEver
    }

    public let kernel: Kernel
    private let console = Console()

    /// - Parameters:
    ///   - program: An ELF program; it is found under /bin by its name.
    ///   - random: The device's generator.
    ///   - sink: What programs write: 1 or 2, and bytes.
    public init(
        _ program: [UInt8], name: String, arguments: [String], policy: Policy, epoch: Int64, random: @escaping (Int) -> [UInt8],
        sink: @escaping (Int, [UInt8]) -> Void
    ) throws(Kernel.StartFailure) {
        console.output = sink
        kernel = Kernel(at: 0, epoch: epoch, console: console, random: random)
        kernel.add("/bin/\(name)", program, mode: 0o755)
        try kernel.start(
            "/bin/\(name)", arguments: [name] + arguments, environment: ["PATH=/bin", "HOME=/", "PWD=/"], policy: policy)
    }

    /// - Parameter input: More of standard input; nothing at its end.
    public func run(until limit: Int64, input: () -> [UInt8], isStopped: () -> Bool = { false }) -> End {
        while !isStopped() {
            switch kernel.run(until: min(limit, kernel.now + 100_000_000)) {
            case .reachedLimit: if kernel.now >= limit { return .outOfTime }
            case .idle(let next):
                if next == .max { return .asleepForEver }
                guard next < limit else { return .outOfTime }
                kernel.skip(to: next)
            case .wantsInput: kernel.provide(input())
            case .ended(let status):
                return status & 0x7F == 0 ? .exited(Int32(status >> 8 & 0xFF)) : .killed(signal: Int(status & 0x7F))
            }
        }
        return .outOfTime
    }
}
