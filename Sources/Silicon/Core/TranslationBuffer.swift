import Glibc
import Synchronization

/// The memory into which an engine puts its translations of code. Unicorn 2.0.1 takes 1 GiB of address space for it, fills
/// it from the beginning, has no way to begin again (mt3620-silicon §7.5), and fails at its end: what forks, loads or
/// changes code for ever would get there.
struct TranslationBuffer: Equatable {
    private let base: UInt

    private static let bytes: UInt = 1 << 30
    /// The last page is a guard.
    private static let shownBytes = bytes - 4096
    /// What an engine may fill before it is replaced. Programs of several megabytes are translated whole in less.
    private static let limit: UInt = 48 << 20
    private static let all = Mutex<[TranslationBuffer]>([])

    /// Whether it is filled up to the limit: the page there is in use.
    var isFilling: Bool {
        var isResident: UInt8 = 0
        return unsafe mincore(UnsafeMutableRawPointer(bitPattern: base + TranslationBuffer.limit), 1, &isResident) == 0
            && isResident & 1 != 0
    }

    /// - Returns: The buffer of the engine that was opened; nil if none is known by its size, as of another Unicorn.
    static func whileOpening(_ open: () -> Void) -> TranslationBuffer? {
        all.withLock { known in
            open()
            guard let new = mapped().first(where: { !known.contains($0) }) else { return nil }
            known.append(new)
            return new
        }
    }

    static func whileClosing(_ buffer: TranslationBuffer?, _ close: () -> Void) {
        all.withLock { known in
            close()
            known.removeAll { $0 == buffer }
        }
    }

    /// Those of this process, by their size and by being writable and executable.
    private static func mapped() -> [TranslationBuffer] {
        guard let maps = unsafe fopen("/proc/self/maps", "re") else { return [] }
        defer { unsafe _ = fclose(maps) }
        var found: [TranslationBuffer] = []
        var line = unsafe UnsafeMutablePointer<CChar>?.none
        var room = 0
        defer { unsafe free(line) }
        while unsafe getline(&line, &room, maps) > 0, let words = unsafe line.map({ unsafe String(cString: $0) }) {
            // Address, end, permissions: 7f0000000000-7f003ffff000 rwxp …
            guard words.contains(" rwxp ") else { continue }
            let ends = words.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            if ends.count == 2 && ends[1] - ends[0] == shownBytes { found.append(TranslationBuffer(base: ends[0])) }
        }
        return found
    }
}
