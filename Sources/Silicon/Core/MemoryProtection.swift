/// The memory protection unit's settings: eight regions (ARM DDI 0403E B3.5). They are kept, and nothing is refused because
/// of them yet.
struct MemoryProtection: Codable {
    private struct Region: Codable {
        var base: UInt32 = 0
        var attributes: UInt32 = 0
    }

    private var control: UInt32 = 0
    private var number: UInt32 = 0
    private var regions = [Region](repeating: Region(), count: 8)

    /// RBAR and RASR show again three times, so that four regions can be set with one store.
    private func own(_ offset: UInt32) -> UInt32 { offset < 0xDA4 ? offset : 0xD9C + (offset - 0xDA4) % 8 }

    func read(_ offset: UInt32) -> UInt32 {
        let index = Int(number)
        return switch own(offset) {
        case 0xD90: 0x800
        case 0xD94: control
        case 0xD98: number
        case 0xD9C: regions[index].base | number
        default: regions[index].attributes
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32) {
        switch own(offset) {
        case 0xD94: control = value & 7
        case 0xD98: number = value & 7
        case 0xD9C:
            if value & 0x10 != 0 { number = value & 7 }
            regions[Int(number)].base = value & ~0x1F
        case 0xDA0: regions[Int(number)].attributes = value
        default: break
        }
    }
}
