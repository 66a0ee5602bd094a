/// NVIC and the system registers that firmware touches, for one Cortex-M4 with three priority bits
/// (mt3620-silicon §3.1, §3.2). Exceptions are numbered as the core does: 16 + IRQ.
struct InterruptController {
    static let irqs = 100
    var vectorTable: UInt32 = 0
    private(set) var active: [Int] = []
    private var enabled = Set<Int>()
    private var pending = Set<Int>()
    private var priority = [UInt8](repeating: 0, count: 16 + irqs)
    private var storage: [UInt32: UInt32] = [:]

    mutating func assert(lines: [Int]) { for line in lines { pending.insert(16 + line) } }

    /// The exception that should be entered now, if any. `mask` is PRIMASK.
    func candidate(mask: Bool) -> Int? {
        guard !mask, let best = enabledPending else { return nil }
        guard let running = active.last else { return best }
        return priority[best] < priority[running] ? best : nil
    }

    /// WFI ends when an enabled interrupt is pending, masked or not.
    var wakes: Bool { enabledPending != nil }

    private var enabledPending: Int? {
        pending.filter { $0 < 16 || enabled.contains($0) }.min { (priority[$0], $0) < (priority[$1], $1) }
    }

    mutating func enter(_ exception: Int) {
        pending.remove(exception)
        active.append(exception)
    }

    mutating func leave() { if !active.isEmpty { active.removeLast() } }

    func read(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x100..<0x120, 0x180..<0x1A0: bits(enabled, from: offset & 0x1F)
        case 0x200..<0x220, 0x280..<0x2A0: bits(pending, from: offset & 0x1F)
        case 0x300..<0x320: bits(Set(active), from: offset & 0x1F)
        case 0x400..<0x464: priorityWord(16 + Int(offset - 0x400))
        case 0xD00: 0x410F_C241
        case 0xD04: UInt32(active.last ?? 0)
        case 0xD08: vectorTable
        case 0xD0C: 0xFA05_0000 | (storage[0xD0C] ?? 0) & 0x700
        default: storage[offset] ?? 0
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, bytes: Int) {
        let first = 16 + Int(offset & 0x1F) * 8
        switch offset {
        case 0x100..<0x120: for bit in setBits(value) { enabled.insert(first + bit) }
        case 0x180..<0x1A0: for bit in setBits(value) { enabled.remove(first + bit) }
        case 0x200..<0x220: for bit in setBits(value) { pending.insert(first + bit) }
        case 0x280..<0x2A0: for bit in setBits(value) { pending.remove(first + bit) }
        case 0x400..<0x464:
            for index in 0..<bytes where 16 + Int(offset) - 0x400 + index < priority.count {
                priority[16 + Int(offset) - 0x400 + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) & 0xE0
            }
        case 0xD04:
            if value & 1 << 28 != 0 { pending.insert(14) }
            if value & 1 << 27 != 0 { pending.remove(14) }
        case 0xD08: vectorTable = value & 0xFFFF_FF80
        default: storage[offset] = value
        }
    }

    private func setBits(_ value: UInt32) -> [Int] { (0..<32).filter { value & 1 << UInt32($0) != 0 } }

    private func bits(_ set: Set<Int>, from byte: UInt32) -> UInt32 {
        (0..<32).reduce(0) { $0 | (set.contains(16 + Int(byte) * 8 + $1) ? 1 << UInt32($1) : 0) }
    }

    private func priorityWord(_ first: Int) -> UInt32 {
        (0..<4).reduce(0) { word, index in
            first + index < priority.count ? word | UInt32(priority[first + index]) << (8 * UInt32(index)) : word
        }
    }
}
