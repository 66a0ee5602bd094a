public import Formats

/// Which shared blocks of the chip a real-time core reaches: what its app's manifest asks for (mt3620-silicon §1.1, §5). It
/// is set when the app is loaded and sticks until reset (HW-13); elsewhere an access is a bus fault.
public struct Firewall: Equatable, Sendable {
    /// The upper halves of addresses; nil lets everything through.
    private var pages: Set<UInt32>?

    /// No firewall: a bench without an OS.
    public static let open = Firewall(pages: nil)

    private init(pages: Set<UInt32>?) { self.pages = pages }

    /// Names are those of the chip, such as `ISU0`, `ADC-CONTROLLER-0`, `PWM-CONTROLLER-1`; others open nothing.
    public init(_ manifest: AppManifest) {
        // Pin multiplexer, clock gates, crystal strap and triggers of pin interrupts: drivers touch them whatever they drive.
        var pages: Set<UInt32> = [0x3001, 0x3003, 0x3009, 0x3106]
        for (capability, value) in manifest.capabilities {
            switch (capability, value) {
            case ("Gpio", .numbers(let pins)): pages.formUnion(pins.flatMap(Firewall.pages(pin:)))
            case ("Gpio", .names(let names)): pages.formUnion(names.compactMap { Int($0) }.flatMap(Firewall.pages(pin:)))
            case ("Adc", .names(let names)) where names.contains("ADC-CONTROLLER-0"): pages.insert(0x3800)
            case ("Pwm", .names(let names)): pages.formUnion(Firewall.numbers(names, "PWM-CONTROLLER-", 0...2).map { 0x3801 + $0 })
            case ("Uart", .names(let names)), ("I2cMaster", .names(let names)), ("SpiMaster", .names(let names)):
                pages.formUnion(Firewall.numbers(names, "ISU", 0...5).map { 0x3807 + $0 })
            case ("I2sSubordinate", .names(let names)):
                pages.formUnion(Firewall.numbers(names, "I2S", 0...1).flatMap { [0x380D + $0, 0x380F + $0] })
            default: break
            }
        }
        self.init(pages: pages)
    }

    private static func numbers(_ names: [String], _ prefix: String, _ range: ClosedRange<UInt32>) -> [UInt32] {
        names.compactMap { $0.hasPrefix(prefix) ? UInt32($0.dropFirst(prefix.count)) : nil }.filter(range.contains)
    }

    /// The block that a pin belongs to (mt3620-silicon §2.6).
    private static func pages(pin: Int) -> [UInt32] {
        switch pin {
        case 0...23: [0x3801 + UInt32(pin / 4)]
        case 26...40: [0x3807 + UInt32((pin - 26) / 5)]
        case 41...48: [0x3800]
        case 56...60: [0x380D]
        case 61...65: [0x380E]
        case 66...80: [0x380A + UInt32((pin - 66) / 5)]
        case 24, 25, 49...55, 81...93: [0x3002]
        default: []
        }
    }

    func allows(page: UInt32) -> Bool { pages.map { $0.contains(page) } ?? true }
}
