import Formats
import Silicon

/// Requests to Pluton that are under way. One mailbox serves the whole device.
struct PlutonQueue {
    struct Pending {
        var thread: Int32
        /// When Pluton is done with it.
        var dueAt: Int64
    }

    /// What the driver keeps for one request.
    static let requestBytes = 64 << 10
    /// After which a kernel without a limit has no memory left.
    static let memoryBytes = 4 << 20
    static let limit = 4
    /// Signing takes about that long (HW-28).
    static let nanoseconds: Int64 = 6_000_000
    var pending: [Pending] = []
}

/// /dev/pluton: the driver between programs and Pluton's mailbox (HW-28). It puts the tenant into requests itself.
final class PlutonFile: OpenFile {
    private unowned let kernel: Kernel
    init(_ kernel: Kernel) {
        self.kernel = kernel
        super.init(flags: OpenFile.readWrite)
    }
    override var mode: UInt32 { 0o020660 }

    /// Command, place and length of the request, place and length of the answer.
    private static let call: UInt32 = 0xC014_7001
    /// The same, without waiting for the answer, which is lost.
    private static let begin: UInt32 = 0xC014_7002
    private static let allowed: [PlutonMailbox.Command] = [.readRandom, .getSecurityState, .getTenantPublicKey, .signWithTenantKey]
    private static let tenantBytes = 64

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        guard request == PlutonFile.call || request == PlutonFile.begin else { throw .ENOTTY }
        let fields = try process.memory.fields(argument, 20)
        guard let command = PlutonMailbox.Command(rawValue: UInt8(truncatingIfNeeded: fields.u32(0) ?? 0)),
            PlutonFile.allowed.contains(command)
        else { throw .EPERM }
        guard let length = fields.u32(8), length <= 1024 else { throw .EMSGSIZE }
        var payload = try process.memory.bytes(fields.u32(4) ?? 0, Int(length))
        if command == .getTenantPublicKey || command == .signWithTenantKey {
            // Whatever a program says that it is: its manifest decides.
            let tenant = Array((process.policy.grants?.tenant ?? "").utf8.prefix(PlutonFile.tenantBytes))
            payload.replaceSubrange(
                0..<min(payload.count, PlutonFile.tenantBytes),
                with: (tenant + [UInt8](repeating: 0, count: PlutonFile.tenantBytes - tenant.count)).prefix(payload.count))
        }
        if request == PlutonFile.begin { return try start(command, payload, process) }
        kernel.spend(PlutonQueue.nanoseconds)
        let answer = try ask(command, payload, process)
        try process.memory.put(fields.u32(12) ?? 0, Array(answer.prefix(Int(fields.u32(16) ?? 0))))
        return UInt32(answer.count)
    }

    private func ask(_ command: PlutonMailbox.Command, _ payload: [UInt8], _ process: Process) throws(Errno) -> [UInt8] {
        guard var mailbox = kernel.pluton else { throw .ENODEV }
        mailbox.checksLength = !process.policy.weaknesses.contains(.plutonOverflow)
        let buffer = UInt16(payload.count).littleEndianBytes + [0, 0] + payload
        mailbox.fill(UInt8(PlutonMailbox.theirBuffers.lowerBound), buffer)
        switch mailbox.take(PlutonMailbox.word(command, sequence: 1)) {
        case .success(let word?): return mailbox.payload(UInt8(word >> 24)) ?? []
        case .success(nil): return []
        case .failure: throw .EINVAL
        }
    }

    private func start(_ command: PlutonMailbox.Command, _ payload: [UInt8], _ process: Process) throws(Errno) -> UInt32 {
        let thread = kernel.running?.id ?? process.id
        kernel.plutonQueue.pending.removeAll { $0.dueAt <= kernel.now }
        let pending = kernel.plutonQueue.pending
        let weaknesses = process.policy.weaknesses
        if weaknesses.contains(.plutonRace), pending.contains(where: { $0.thread != thread }) {
            kernel.panic("Pluton stopped: two commands at once")
            return 0
        }
        if weaknesses.contains(.plutonFlood) {
            guard pending.count * PlutonQueue.requestBytes < PlutonQueue.memoryBytes else {
                kernel.panic("out of memory: \(pending.count) requests to Pluton")
                return 0
            }
        } else if pending.count >= PlutonQueue.limit {
            throw .EBUSY
        }
        _ = try ask(command, payload, process)
        let dueAt = max(kernel.now, pending.last?.dueAt ?? 0) + PlutonQueue.nanoseconds
        kernel.plutonQueue.pending.append(.init(thread: thread, dueAt: dueAt))
        return 0
    }
}
