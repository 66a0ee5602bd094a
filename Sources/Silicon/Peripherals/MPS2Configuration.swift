import Formats

/// The serial configuration controller of Arm's MPS2 board (ARM 100112 §4, ARM DAI 0386): identification, eight LEDs, and a way to
/// the oscillators, which run as they do whatever they are set to.
struct MPS2Configuration: Peripheral {
    static let type = BlockType(
        "mps2-scc", "configuration and identification of an MPS2 board",
        settings: [
            .init("id", in: 0...0xFFFF_FFFF, isRequired: true), .init("aid", in: 0...0xFFFF_FFFF, isRequired: true),
            .init("cfg4", in: 0...0xFFFF_FFFF), .init("oscillator-0", in: 0...0xFFFF_FFFF), .init("oscillator-1", in: 0...0xFFFF_FFFF),
            .init("oscillator-2", in: 0...0xFFFF_FFFF),
        ])

    private let identification: UInt32
    private let applicationNote: UInt32
    private let configuration4: UInt32
    private var oscillators: [UInt32]
    private var remap: UInt32 = 0
    private var leds: UInt32 = 0
    private var answer: UInt32 = 0
    private var question: UInt32 = 0
    private var control: UInt32 = 0x10_0000
    private var status: UInt32 = 0
    private var locks: UInt32 = 0xFFFF_0001

    init(_ block: Block) {
        func word(_ name: String) -> UInt32 { UInt32(truncatingIfNeeded: block[name] ?? 0) }
        (identification, applicationNote, configuration4) = (word("id"), word("aid"), word("cfg4"))
        oscillators = (0..<3).compactMap { block["oscillator-\($0)"] == nil ? nil : word("oscillator-\($0)") }
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        switch offset {
        case 0x000: return remap
        case 0x004: return leds
        case 0x00C: return 0  // switches
        case 0x010: return configuration4
        case 0x0A0: return answer
        case 0x0A4: return question
        case 0x0A8: return control
        case 0x0AC: return status
        case 0x100: return locks
        case 0xFF8: return applicationNote
        case 0xFFC: return identification
        default:
            bus.isUnmodelled = true
            return 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        switch offset {
        case 0x000: remap = value
        case 0x004: leds = value
        case 0x0A4: question = value
        case 0x0A8: ask(value)
        case 0x100: locks = locks & 0x00FF_FFFF | value & 0xFF00_0000
        default: bus.isUnmodelled = true
        }
    }

    /// A transfer with the board's controller: at once. Function 1 is the oscillators.
    private mutating func ask(_ value: UInt32) {
        control = value & ~0xBC0F_F000
        status = 0
        guard value >> 31 != 0 else { return }
        let (function, device) = (control >> 20 & 0x3F, Int(control & 0xFFF))
        status = 1
        guard function == 1, oscillators.indices.contains(device) else {
            status = 3
            return
        }
        if control & 1 << 30 != 0 { oscillators[device] = question } else { answer = oscillators[device] }
    }
}
