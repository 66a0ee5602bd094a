import Formats

/// Exception numbers of ARMv7-M (ARM DDI 0403E B1.5.2); interrupt `n` is exception 16 + n.
enum CoreException {
    static let reset = 1
    static let nonMaskable = 2
    static let hardFault = 3
    static let memoryManagement = 4
    static let busFault = 5
    static let usageFault = 6
    static let supervisorCall = 11
    static let debugMonitor = 12
    static let pendSupervisor = 14
    static let sysTick = 15
    static let interrupts = 16
    /// As many as a set of them holds.
    static let mostInterrupts = ChipDescription.mostInterrupts
}

/// Why code cannot go on: bits of CFSR (B3.2.15), with the exception that stands for each.
enum FaultCause: UInt32, CustomStringConvertible {
    case instructionAccess = 0x1
    case dataAccess = 0x2
    case memoryUnstacking = 0x8
    case memoryStacking = 0x10
    case instructionBus = 0x100
    case preciseDataBus = 0x200
    case unstacking = 0x800
    case stacking = 0x1000
    case undefinedInstruction = 0x1_0000
    case invalidState = 0x2_0000
    case invalidReturn = 0x4_0000
    case noCoprocessor = 0x8_0000
    case unaligned = 0x100_0000
    case divideByZero = 0x200_0000

    var exception: Int {
        switch rawValue {
        case ..<0x100: CoreException.memoryManagement
        case ..<0x1_0000: CoreException.busFault
        default: CoreException.usageFault
        }
    }

    /// Whether the fault address register holds the address.
    var hasAddress: Bool { self == .dataAccess || self == .preciseDataBus }

    var description: String {
        switch self {
        case .instructionAccess: "instruction access violation"
        case .dataAccess: "data access violation"
        case .memoryUnstacking: "access violation while unstacking"
        case .memoryStacking: "access violation while stacking"
        case .instructionBus: "instruction bus error"
        case .preciseDataBus: "data bus error"
        case .unstacking: "bus error while unstacking"
        case .stacking: "bus error while stacking"
        case .undefinedInstruction: "undefined instruction"
        case .invalidState: "invalid state"
        case .invalidReturn: "invalid return"
        case .noCoprocessor: "no coprocessor"
        case .unaligned: "unaligned access"
        case .divideByZero: "division by zero"
        }
    }
}

/// Exceptions as a set of numbers 0…127.
struct ExceptionSet: Codable, Equatable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    var isEmpty: Bool { low | high == 0 }

    subscript(_ number: Int) -> Bool {
        get { number < 64 ? low >> UInt64(number) & 1 != 0 : high >> UInt64(number - 64) & 1 != 0 }
        set {
            if number < 64 {
                low = newValue ? low | 1 << UInt64(number) : low & ~(1 << UInt64(number))
            } else {
                high = newValue ? high | 1 << UInt64(number - 64) : high & ~(1 << UInt64(number - 64))
            }
        }
    }

    func intersection(_ other: ExceptionSet) -> ExceptionSet {
        var result = self
        result.low &= other.low
        result.high &= other.high
        return result
    }

    /// Members in ascending order.
    func forEach(_ body: (Int) -> Void) {
        for (offset, word) in [(0, low), (64, high)] {
            var left = word
            while left != 0 {
                body(offset + left.trailingZeroBitCount)
                left &= left - 1
            }
        }
    }

    /// 32 interrupts from the word-th on, as NVIC registers show them.
    func interrupts(word: Int) -> UInt32 {
        (0..<32).reduce(0) { bits, bit in
            guard word * 32 + bit < CoreException.mostInterrupts else { return bits }
            let number = CoreException.interrupts + word * 32 + bit
            return self[number] ? bits | 1 << UInt32(bit) : bits
        }
    }

    mutating func setInterrupts(word: Int, _ bits: UInt32, to value: Bool) {
        for bit in 0..<32 where bits >> UInt32(bit) & 1 != 0 && word * 32 + bit < CoreException.mostInterrupts {
            let number = CoreException.interrupts + word * 32 + bit
            self[number] = value
        }
    }
}
