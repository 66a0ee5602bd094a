/// The memory protection unit: eight regions over a background map (ARM DDI 0403E B3.5).
struct MemoryProtection: Codable {
    private struct Region: Codable {
        var base: UInt32 = 0
        var attributes: UInt32 = 0

        func contains(_ address: UInt32) -> Bool {
            guard attributes & 1 != 0 else { return false }
            let exponent = attributes >> 1 & 0x1F
            guard exponent >= 4 else { return false }
            if exponent == 31 { return true }
            let size = UInt32(2) << exponent
            let start = base & ~(size - 1)
            guard address >= start, address - start < size else { return false }
            // Eight subregions, each of which may be off, in regions of 256 bytes and more.
            return size < 256 || attributes >> 8 & 1 << ((address - start) / (size / 8)) == 0
        }
    }

    private var control: UInt32 = 0
    private var number: UInt32 = 0
    private var regions = [Region](repeating: Region(), count: 8)

    var isEnabled: Bool { control & 1 != 0 }

    enum Access { case read, write, execute }

    /// Whether the access is allowed. `isUrgent`: at the priority of hard faults and above, where the unit rests unless
    /// HFNMIENA says otherwise.
    func allows(_ access: Access, at address: UInt32, isPrivileged: Bool, isUrgent: Bool) -> Bool {
        // The private peripheral bus is always there for privileged code.
        if address >> 20 == 0xE00 { return isPrivileged && access != .execute }
        guard isEnabled, !isUrgent || control & 2 != 0 else { return true }
        guard let region = regions.last(where: { $0.contains(address) }) else { return isPrivileged && control & 4 != 0 }
        if access == .execute && region.attributes & 1 << 28 != 0 { return false }
        let isWrite = access == .write
        return switch region.attributes >> 24 & 7 {
        case 1: isPrivileged
        case 2: isPrivileged || !isWrite
        case 3: true
        case 5: isPrivileged && !isWrite
        case 6, 7: !isWrite
        default: false
        }
    }

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
