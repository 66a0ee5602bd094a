import CUnicorn
import Formats
import SecureChannel

/// All that a real-time core is at an instant: registers, memory, peripherals, time. What it becomes from there is the same
/// bit for bit, in whatever process.
public struct CoreSnapshot: Codable {
    /// Raised when what is kept changes.
    private static let currentVersion = 6

    private var version = CoreSnapshot.currentVersion
    private var registers: [UInt32]
    private var pages: [Page]
    private var peripherals: PeripheralState
    private var control: SystemControl
    private var clock: CoreClock
    private var cycles: Int64
    private var programCounter: UInt32
    private var isSleeping: Bool
    private var isLockedUp: Bool
    private var hasEvent: Bool
    private var waitsForEvent: Bool
    private var unmodelled: UnmodelledAccesses
    private var partner: HighLevelPartner?

    /// 4 KiB that are not all zero, in hexadecimal digits.
    private struct Page: Codable {
        var address: UInt32
        var bytes: String
    }

    private static let pageBytes = 4096
    private static let all = Engine.all(.cortexM4)

    init(_ core: RealTimeCore) {
        core.removeStandIns()
        registers = CoreSnapshot.all.map { core.engine[$0] }
        pages = core.engine.memories.flatMap { memory -> [Page] in
            let content = memory.content
            return stride(from: 0, to: content.count, by: CoreSnapshot.pageBytes).compactMap { start in
                let bytes = Array(content[start..<min(start + CoreSnapshot.pageBytes, content.count)])
                return bytes.allSatisfy { $0 == 0 } ? nil : Page(address: memory.base + UInt32(start), bytes: bytes.hex)
            }
        }
        (peripherals, control, clock) = (PeripheralState(core.peripherals), core.control, core.clock)
        (cycles, programCounter) = (core.cycles, core.programCounter)
        partner = core.partner
        (isSleeping, isLockedUp, unmodelled) = (core.isSleeping, core.isLockedUp, core.unmodelled)
        (hasEvent, waitsForEvent) = (core.hasEvent, core.waitsForEvent)
    }

    /// Why a snapshot does not fit.
    public enum Failure: Error, Equatable { case version(Int), memory(UInt32), registers, otherChip }

    func restore(_ core: RealTimeCore) throws(Failure) {
        guard version == CoreSnapshot.currentVersion else { throw .version(version) }
        guard registers.count == CoreSnapshot.all.count else { throw .registers }
        guard let peripherals = peripherals.peripherals(of: core.chip) else { throw .otherChip }
        for memory in core.engine.memories { core.engine.storeCode(memory.base, [UInt8](repeating: 0, count: memory.count)) }
        for page in pages {
            guard let bytes = [UInt8](hex: page.bytes), core.engine.storeCode(page.address, bytes) else { throw .memory(page.address) }
        }
        core.partner = partner
        for (register, value) in zip(CoreSnapshot.all, registers) { core.engine[register] = value }
        core.take(
            peripherals, control, clock, cycles: cycles, programCounter: programCounter, isSleeping: isSleeping, isLockedUp: isLockedUp,
            unmodelled)
        (core.hasEvent, core.waitsForEvent) = (hasEvent, waitsForEvent)
    }
}

extension RealTimeCore {
    public var snapshot: CoreSnapshot { CoreSnapshot(self) }

    /// Becomes what was saved, on a core that was made for the same program.
    public func restore(_ snapshot: CoreSnapshot) throws(CoreSnapshot.Failure) { try snapshot.restore(self) }
}
