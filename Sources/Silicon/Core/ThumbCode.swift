/// What can be told of Thumb code from its bytes (ARM DDI 0403E A5): lengths, and which instruction made an access.
enum ThumbCode {
    static func half(_ code: [UInt8], _ offset: Int) -> UInt32? {
        offset + 1 < code.count ? UInt32(code[offset]) | UInt32(code[offset + 1]) << 8 : nil
    }

    /// Of the instruction that begins with a halfword: 2 bytes, or 4 if the first five bits are 0b11101 or above.
    static func length(_ first: UInt32) -> Int { first >> 11 >= 0b11101 ? 4 : 2 }

    static func count(_ code: [UInt8], from start: Int = 0) -> Int64 {
        var (position, count) = (start, Int64(0))
        while let first = half(code, position) {
            position += length(first)
            count += 1
        }
        return count
    }

    static let sendEvent: UInt32 = 0xBF40

    /// How many instructions after an IT depend on a condition; nil for all others (A7.3.2).
    static func conditionals(after first: UInt32) -> Int? {
        first & 0xFF00 == 0xBF00 && first & 0xF != 0 ? 4 - (first & 0xF).trailingZeroBitCount : nil
    }

    /// Where the first instruction for the floating-point unit lies (coprocessors 10 and 11; A5.3.18).
    static func offset(ofFloatIn code: [UInt8]) -> Int? {
        var position = 0
        while let first = half(code, position) {
            if first & 0xEC00 == 0xEC00, let second = half(code, position + 2), second & 0x0E00 == 0x0A00 { return position }
            position += length(first)
        }
        return nil
    }

    /// SDIV, UDIV (A5.3.17).
    static func isDivision(_ first: UInt32, _ second: UInt32) -> Bool { first & 0xFFD0 == 0xFB90 && second & 0x00F0 == 0x00F0 }

    /// The engine tells of an access only the block that it is in, with registers as they are just before the
    /// instruction: the one that would access that address now is the one that did.
    static func offset(ofAccess address: UInt32, isWrite: Bool, in code: [UInt8], at base: UInt32, _ registers: [UInt32]) -> Int? {
        var position = 0
        while let first = half(code, position) {
            let second = half(code, position + 2) ?? 0
            let at = base &+ UInt32(position)
            let access = length(first) == 2 ? short(first, at, registers) : long(first, second, at, registers)
            if let access, access.isWrite == isWrite, address &- access.start < access.count { return position }
            position += length(first)
        }
        return nil
    }

    private struct Access {
        var start: UInt32
        var count: UInt32
        var isWrite: Bool
    }

    private static func short(_ code: UInt32, _ at: UInt32, _ r: [UInt32]) -> Access? {
        func register(_ shift: UInt32) -> UInt32 { r[Int(code >> shift & 7)] }
        let isLoad = code >> 11 & 1 != 0
        let immediate = code >> 6 & 31
        let listed = UInt32((code & 0xFF).nonzeroBitCount)
        switch code >> 12 {
        case 0b0100 where code >> 11 == 0b01001: return Access(start: ((at + 4) & ~3) &+ (code & 0xFF) * 4, count: 4, isWrite: false)
        case 0b0101:
            let operation = Int(code >> 9 & 7)
            return Access(start: register(3) &+ register(6), count: [4, 2, 1, 1, 4, 2, 1, 2][operation], isWrite: operation < 3)
        case 0b0110: return Access(start: register(3) &+ immediate * 4, count: 4, isWrite: !isLoad)
        case 0b0111: return Access(start: register(3) &+ immediate, count: 1, isWrite: !isLoad)
        case 0b1000: return Access(start: register(3) &+ immediate * 2, count: 2, isWrite: !isLoad)
        case 0b1001: return Access(start: r[13] &+ (code & 0xFF) * 4, count: 4, isWrite: !isLoad)
        case 0b1011 where code >> 9 & 7 == 0b010:
            let count = (listed + (code >> 8 & 1)) * 4
            return isLoad ? Access(start: r[13], count: count, isWrite: false) : Access(start: r[13] &- count, count: count, isWrite: true)
        case 0b1100: return Access(start: register(8), count: listed * 4, isWrite: !isLoad)
        default: return nil
        }
    }

    private static func long(_ first: UInt32, _ second: UInt32, _ at: UInt32, _ r: [UInt32]) -> Access? {
        let number = Int(first & 15)
        let base = number == 15 ? (at + 4) & ~3 : r[number]
        let isLoad = first >> 4 & 1 != 0
        let isUp = first >> 7 & 1 != 0
        let isIndexed = first >> 8 & 1 != 0
        let immediate = (second & 0xFF) * 4
        func moved(_ distance: UInt32, up: Bool) -> UInt32 { up ? base &+ distance : base &- distance }
        if first & 0xFE40 == 0xE800 {  // LDM, STM
            let count = UInt32((second & 0xFFFF).nonzeroBitCount) * 4
            return Access(start: isIndexed ? base &- count : base, count: count, isWrite: !isLoad)
        }
        if first & 0xFE40 == 0xE840 {
            if first & 0x0120 == 0 {  // exclusives and table branches
                if first & 0xFFF0 == 0xE8D0, second & 0xFFE0 == 0xF000 {
                    let index = r[Int(second & 15)]
                    return Access(start: base &+ (second & 0x10 != 0 ? index * 2 : index), count: 2, isWrite: false)
                }
                return Access(start: base &+ (first & 0x80 == 0 ? immediate : 0), count: 4, isWrite: !isLoad)
            }
            return Access(start: isIndexed ? moved(immediate, up: isUp) : base, count: 8, isWrite: !isLoad)  // LDRD, STRD
        }
        if first & 0xFE00 == 0xF800 {
            let count = [1, 2, 4, 4][Int(first >> 5 & 3)] as UInt32
            let start: UInt32
            if number == 15 {
                start = moved(second & 0xFFF, up: isUp)
            } else if isUp {
                start = base &+ (second & 0xFFF)
            } else if second & 0x800 != 0 {
                start = second & 0x400 != 0 ? moved(second & 0xFF, up: second & 0x200 != 0) : base
            } else {
                start = base &+ r[Int(second & 15)] << (second >> 4 & 3)
            }
            return Access(start: start, count: count, isWrite: !isLoad)
        }
        if first & 0xFE00 == 0xEC00 {  // VLDR, VSTR, VLDM, VSTM
            let count = immediate
            if isIndexed && first & 0x20 == 0 { return Access(start: moved(immediate, up: isUp), count: 8, isWrite: !isLoad) }
            return Access(start: isUp ? base : base &- count, count: count, isWrite: !isLoad)
        }
        return nil
    }
}
