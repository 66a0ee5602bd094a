/// The memory protection unit: eight regions over the default memory map (ARM DDI 0403E B3.5).
struct MemoryProtection: Codable {
    enum Access { case read, write, fetch }

    struct Region: Codable {
        var base: UInt32 = 0
        /// RASR.
        var attributes: UInt32 = 0

        var isEnabled: Bool { attributes & 1 != 0 && sizeBits >= 5 }
        var sizeBits: UInt32 { (attributes >> 1 & 31) + 1 }
        /// The last address; a region is aligned to its size.
        var start: UInt32 { sizeBits >= 32 ? 0 : base & ~(1 << sizeBits - 1) }
        var last: UInt32 { sizeBits >= 32 ? .max : start | (1 << sizeBits - 1) }
        /// The eighths of a region of at least 256 bytes can be switched off one by one.
        var granuleBytes: UInt64 { 1 << UInt64(sizeBits >= 8 && attributes >> 8 & 0xFF != 0 ? sizeBits - 3 : sizeBits) }

        func contains(_ address: UInt32) -> Bool {
            guard isEnabled, address >= start, address <= last else { return false }
            return sizeBits < 8 || attributes >> (8 + (address - start) >> (sizeBits - 3)) & 1 == 0
        }

        /// AP and XN (table B3-15).
        func allows(_ access: Access, isPrivileged: Bool) -> Bool {
            let permission = attributes >> 24 & 7
            let isReadable = isPrivileged ? ![0, 4].contains(permission) : [2, 3, 6, 7].contains(permission)
            return switch access {
            case .read: isReadable
            case .write: isPrivileged ? (1...3).contains(permission) : permission == 3
            case .fetch: isReadable && attributes >> 28 & 1 == 0
            }
        }
    }

    private var control: UInt32 = 0
    private var number: UInt32 = 0
    private(set) var regions = [Region](repeating: Region(), count: 8)
    /// Counts writes: who keeps something that follows from the settings compares it.
    private(set) var changes = 0

    var isEnabled: Bool { control & 1 != 0 }
    /// HFNMIENA: in force in hard faults and NMI too, and while FAULTMASK is set.
    var coversHardFaults: Bool { control & 2 != 0 }

    /// Whether an access is allowed; region 7 comes before region 0, and the default map stands behind them for privileged
    /// code if PRIVDEFENA says so.
    func allows(_ access: Access, _ address: UInt32, isPrivileged: Bool) -> Bool {
        if address >> 20 == 0xE00 { return access != .fetch }
        // Device memory is never executable, whatever a region says (B3.1).
        if access == .fetch, address >> 29 == 2 || address >= 0xA000_0000 { return false }
        if let region = regions.last(where: { $0.contains(address) }) { return region.allows(access, isPrivileged: isPrivileged) }
        return isPrivileged && control & 4 != 0
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
        changes += 1
        switch own(offset) {
        case 0xD94: control = value & 7
        case 0xD98: number = value & 7
        case 0xD9C:
            if value & 0x10 != 0 { number = value & 7 }
            regions[Int(number)].base = value & ~0x1F
        case 0xDA0: regions[Int(number)].attributes = value & 0x173F_FF3F
        default: break
        }
    }
}
