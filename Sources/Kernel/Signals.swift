public import Formats

/// Signal numbers of Linux on ARM.
public enum SignalNumber {
    public static let hangup = 1
    public static let interrupt = 2
    public static let illegal = 4
    public static let trap = 5
    public static let abort = 6
    public static let bus = 7
    public static let kill = 9
    public static let segmentation = 11
    public static let pipe = 13
    public static let alarm = 14
    public static let terminate = 15
    public static let child = 17
    public static let proceed = 18
    public static let stop = 19
    public static let count = 64

    /// What happens by default is nothing.
    static func isIgnored(_ number: Int) -> Bool { [child, proceed, 23, 28, 20, 21, 22].contains(number) }
}

/// Signals 1…64, as the bits 0…63 of a mask.
struct SignalSet: Equatable {
    var bits: UInt64 = 0

    subscript(_ number: Int) -> Bool {
        get { bits >> UInt64(number - 1) & 1 != 0 }
        set { bits = newValue ? bits | 1 << UInt64(number - 1) : bits & ~(1 << UInt64(number - 1)) }
    }

    /// The lowest that another set does not hold back; SIGKILL and SIGSTOP cannot be held back.
    func first(notIn mask: SignalSet) -> Int? {
        let free = bits & ~(mask.bits & ~(1 << 8 | 1 << 18))
        return free == 0 ? nil : free.trailingZeroBitCount + 1
    }
}

/// What a process wants done when a signal comes (struct sigaction of the kernel).
struct SignalAction: Equatable {
    static let standard: UInt32 = 0
    static let ignore: UInt32 = 1
    static let wantsInformation: UInt32 = 4
    static let onAlternateStack: UInt32 = 0x0800_0000
    static let restarts: UInt32 = 0x1000_0000
    static let isNotDeferred: UInt32 = 0x4000_0000
    static let resets: UInt32 = 0x8000_0000

    var handler = SignalAction.standard
    var flags: UInt32 = 0
    var restorer: UInt32 = 0
    var mask = SignalSet()
}

/// Beside the number: why it came, and from whom or where.
struct SignalInformation: Equatable {
    var number: Int
    /// SI_USER 0, SI_TKILL -6, CLD_EXITED 1, SEGV_MAPERR 1, SEGV_ACCERR 2 …
    var code: Int32 = 0
    /// The sender's process, or an address.
    var value: UInt32 = 0
    var status: Int32 = 0

    /// siginfo_t, 128 bytes.
    var record: [UInt8] {
        let words: [UInt32] = [UInt32(number), 0, UInt32(bitPattern: code), value, 1000, UInt32(bitPattern: status)]
        return words.flatMap(\.littleEndianBytes) + [UInt8](repeating: 0, count: 128 - 24)
    }
}

/// What is known of a program that a signal has ended (CR-1).
public struct CrashRecord: Equatable, Sendable {
    public var signal: Int
    public var pc: UInt32
    public var lr: UInt32
    public var sp: UInt32
    /// Of the access that could not be made.
    public var address: UInt32

    public var text: String { text(nil) }

    /// - Parameter symbols: Of the program, if it still has them.
    public func text(_ symbols: ELFSymbols?) -> String {
        func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
        func place(_ value: UInt32) -> String {
            symbols?.function(at: value & ~1).map { _ in "\(hex(value)) (\(symbols?.name(of: value & ~1) ?? ""))" } ?? hex(value)
        }
        return "signal \(signal) at \(hex(address)); pc \(place(pc)) lr \(place(lr)) sp \(hex(sp))"
    }

    /// The guard on the stack was overwritten (abort), or something was run that is no code: an attacker may be at work.
    public var isMemoryCorruption: Bool {
        signal == SignalNumber.abort || signal == SignalNumber.illegal || signal == SignalNumber.segmentation && address == pc
    }
}
