import CUnicorn
import Formats

/// What the engine was told of the memory protection unit: permissions of whole pages, and which pages need a closer look.
struct AppliedProtection {
    var changes: Int
    var isPrivileged: Bool
    /// Pages of which a part may be read or written.
    var mixedData: Set<UInt32> = []
    /// Windows of registers of which a part may be read or written.
    var mixedWindows: Set<UInt32> = []
    /// Pages of which a part may be executed.
    var mixedCode: Set<UInt32> = []
}

/// The memory protection unit in force. Where whole pages are alike, the engine refuses by itself; in others, a hook looks
/// at each access.
extension RealTimeCore {
    private static let pageBytes: UInt32 = 4096
    private static let stepBytes: UInt32 = 32

    var isPrivileged: Bool { !control.active.isEmpty || engine[UC_ARM_REG_CONTROL] & 1 == 0 }

    /// Off while a hard fault or NMI is handled, unless it is told otherwise (B3.5.3).
    private var protectsNow: Bool {
        guard control.protection.isEnabled else { return false }
        return control.protection.coversHardFaults
            || !(masks.faultmask || control.active.contains { $0 == CoreException.hardFault || $0 == CoreException.nonMaskable })
    }

    /// Whether the engine's permissions are out of date.
    var needsProtection: Bool {
        if hasClosedPage { return true }
        guard protectsNow else { return applied != nil }
        return applied.map { $0.changes != control.protection.changes || $0.isPrivileged != isPrivileged } ?? true
    }

    /// Whether code may do this, in the state that the core is in.
    func mayAccess(_ access: MemoryProtection.Access, _ address: UInt32, isPrivileged: Bool) -> Bool {
        !protectsNow || control.protection.allows(access, address, isPrivileged: isPrivileged)
    }

    func mayStack(_ access: MemoryProtection.Access, _ start: UInt32, words: Int, isPrivileged: Bool) -> Bool {
        guard protectsNow else { return true }
        return (0..<words).allSatisfy { mayAccess(access, start &+ UInt32($0) * 4, isPrivileged: isPrivileged) }
    }

    /// Tells the engine what is allowed now.
    func applyProtection() {
        hasClosedPage = false
        guard protectsNow else {
            for memory in engine.memories { engine.protect(memory.base, count: memory.count, memory.permission) }
            for (base, count) in windows { engine.protect(base, count: count, .readWrite) }
            applied = nil
            return
        }
        var now = AppliedProtection(changes: control.protection.changes, isPrivileged: isPrivileged)
        for memory in engine.memories { apply(to: memory, &now) }
        for (base, count) in windows {
            // The core's own registers are for privileged code alone.
            let isOwn = base >> 20 == 0xE00
            let permission = isOwn ? (now.isPrivileged ? .readWrite : .none) : window(base, count, &now)
            engine.protect(base, count: count, permission)
        }
        applied = now
        if !now.mixedData.isEmpty || !now.mixedWindows.isEmpty, !watchesAccesses { trapsChanged() }
    }

    private func apply(to memory: Engine.Memory, _ now: inout AppliedProtection) {
        let regions = control.protection.regions.filter { $0.isEnabled && $0.granuleBytes < UInt64(RealTimeCore.pageBytes) }
        var run: (base: UInt32, count: Int, permission: Engine.Permission)?
        for base in stride(from: memory.base, to: memory.base + UInt32(memory.count), by: Int(RealTimeCore.pageBytes)) {
            let end = base + (RealTimeCore.pageBytes - 1)
            let isDivided = regions.contains { $0.start <= end && $0.last >= base }
            let permission = isDivided ? mixedPage(base, &now) : permissions(at: base, now)
            let kept = permission.intersection(memory.permission)
            // A page that is looked at more closely is a stretch of its own: it may be closed on its own.
            let isAlone = now.mixedData.contains(base)
            if !isAlone, let last = run, last.permission == kept, !now.mixedData.contains(base - RealTimeCore.pageBytes) {
                run = (last.base, last.count + Int(RealTimeCore.pageBytes), kept)
            } else {
                if let run { engine.protect(run.base, count: run.count, run.permission) }
                run = (base, Int(RealTimeCore.pageBytes), kept)
            }
        }
        if let run { engine.protect(run.base, count: run.count, run.permission) }
    }

    /// The engine cannot divide a window of registers: where its parts differ, a hook looks at each access.
    private func window(_ base: UInt32, _ count: Int, _ now: inout AppliedProtection) -> Engine.Permission {
        let last = base + UInt32(count - 1)
        let isDivided = control.protection.regions.contains {
            $0.isEnabled && $0.start <= last && $0.last >= base && ($0.start > base || $0.last < last || $0.granuleBytes < UInt64(count))
        }
        guard isDivided else { return permissions(at: base, now).intersection(.readWrite) }
        now.mixedWindows.insert(base)
        return .readWrite
    }

    private func permissions(at address: UInt32, _ now: AppliedProtection) -> Engine.Permission {
        var permission: Engine.Permission = []
        for (access, bit) in [(MemoryProtection.Access.read, Engine.Permission.read), (.write, .write), (.fetch, .execute)]
        where control.protection.allows(access, address, isPrivileged: now.isPrivileged) { permission.insert(bit) }
        return permission
    }

    /// What some part of a page allows; the rest is looked at when it is touched.
    private func mixedPage(_ base: UInt32, _ now: inout AppliedProtection) -> Engine.Permission {
        let parts = stride(from: base, to: base + RealTimeCore.pageBytes, by: Int(RealTimeCore.stepBytes)).map { permissions(at: $0, now) }
        let some: Engine.Permission = parts.reduce([]) { $0.union($1) }
        let all: Engine.Permission = parts.reduce(some) { $0.intersection($1) }
        if !some.subtracting(all).isDisjoint(with: .readWrite) { now.mixedData.insert(base) }
        if some.contains(.execute) && !all.contains(.execute) { now.mixedCode.insert(base) }
        return some
    }

    func lookAtMixedPage(_ address: UInt32, isWrite: Bool) {
        guard let applied,
            applied.mixedData.contains(address & ~(RealTimeCore.pageBytes - 1)) || applied.mixedWindows.contains(address & 0xFFFF_0000),
            !control.protection.allows(isWrite ? .write : .read, address, isPrivileged: applied.isPrivileged)
        else { return }
        closePage(of: address)
    }

    /// Closes a page at the moment when something in it is touched that may not be: the engine then refuses the access
    /// itself, before it is made.
    func closePage(of address: UInt32) {
        if let window = windows.first(where: { address >= $0.base && Int(address - $0.base) < $0.count }) {
            engine.protect(window.base, count: window.count, .none)
        } else {
            engine.protect(address & ~(RealTimeCore.pageBytes - 1), count: Int(RealTimeCore.pageBytes), .none)
        }
        hasClosedPage = true
    }

    /// False if a block of code may not be executed.
    func mayFetch(_ address: UInt32) -> Bool {
        guard let applied, applied.mixedCode.contains(address & ~(RealTimeCore.pageBytes - 1)) else { return true }
        return control.protection.allows(.fetch, address, isPrivileged: applied.isPrivileged)
    }
}
