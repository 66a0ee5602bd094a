/// What an app wants of the chip for itself, by its manifest: pins, and units behind pins (azure-sphere HW-11, HW-12).
///
/// The chip gives pins to cores in blocks: of four from GPIO 0 on, of five where a serial unit (ISU) or I2S lies behind them.
public struct PeripheralClaims: Sendable, Equatable {
    /// Pins that go to a core together, and what lies behind them.
    struct Block: Sendable, Equatable {
        let name: String
        let pins: ClosedRange<Int>
        /// Such as `ISU0`; nil where there are only pins.
        let unit: String?

        static let all =
            (0...5).map { number in
                Block(name: "GPIO block \(number)", pins: 4 * number...4 * number + 3, unit: number < 3 ? "PWM-CONTROLLER-\(number)" : nil)
            }
            + [26, 31, 36, 66, 71].enumerated().map { number, first in
                Block(name: "ISU\(number)", pins: first...first + 4, unit: "ISU\(number)")
            } + [
                Block(name: "ADC-CONTROLLER-0", pins: 41...48, unit: "ADC-CONTROLLER-0"), Block(name: "I2S0", pins: 56...60, unit: "I2S0"),
                Block(name: "I2S1", pins: 61...65, unit: "I2S1"), Block(name: "GPIO block of 80", pins: 80...80, unit: nil),
            ]

        var words: String { pins.count == 1 ? "pin \(pins.lowerBound)" : "\(name) (pins \(pins.lowerBound)-\(pins.upperBound))" }
    }

    /// All that the chip has (mt3620-silicon §2.6).
    public static let pins = Set(Block.all.flatMap(\.pins))

    private enum Item: Hashable { case pin(Int), unit(String) }

    /// What a manifest asks for and cannot have.
    struct Mistake: Error {
        let capability: String
        let words: String
    }

    /// Kinds of capability, and what their units' names begin with.
    private static let kinds = [
        "Uart": "ISU", "I2cMaster": "ISU", "SpiMaster": "ISU", "I2sSubordinate": "I2S", "Pwm": "PWM-CONTROLLER-", "Adc": "ADC-CONTROLLER-",
    ]

    private var items: [(item: Item, block: Block)] = []

    /// Nothing.
    init() {}

    /// - Throws: What stands for nothing on this chip, or a pin or an ISU that is to be two things at once.
    init(_ capabilities: [String: AppManifest.Capability]) throws(Mistake) {
        for name in capabilities["Gpio"]?.items ?? [] {
            guard let pin = Int(name), let block = Block.all.first(where: { $0.pins.contains(pin) }) else {
                throw Mistake(capability: "Gpio", words: "Gpio: the MT3620 has no pin \(name)")
            }
            items.append((.pin(pin), block))
        }
        var roles: [String: String] = [:]
        for (kind, prefix) in PeripheralClaims.kinds.sorted(by: { $0.key < $1.key }) {
            for name in capabilities[kind]?.items ?? [] {
                guard name.hasPrefix(prefix), let block = Block.all.first(where: { $0.unit == name }) else {
                    let known = Block.all.compactMap(\.unit).filter { $0.hasPrefix(prefix) }
                    throw Mistake(capability: kind, words: "\(kind): the MT3620 has no \(name), but \(known.joined(separator: ", "))")
                }
                if let other = roles.updateValue(kind, forKey: name) {
                    throw Mistake(capability: kind, words: "\(name) is wanted as \(other) and as \(kind): it is one of them at a time")
                }
                if let pin = capabilities["Gpio"]?.items.first(where: { Int($0).map(block.pins.contains) == true }) {
                    throw Mistake(
                        capability: "Gpio", words: "pin \(pin) is wanted as Gpio, and \(block.words) as \(kind): it is one of them")
                }
                items.append((.unit(name), block))
            }
        }
    }

    /// The first thing that two apps cannot both have.
    ///
    /// - Parameter isOnOneCore: Both are on the A7: its apps share blocks, but neither pins nor units.
    func conflict(with other: PeripheralClaims, isOnOneCore: Bool) -> String? {
        for (mine, block) in items {
            for (theirs, _) in other.items.filter({ $0.block == block }) {
                switch (mine, theirs) {
                case (.pin(let pin), .pin(let same)) where pin == same: return "pin \(pin) of \(block.words)"
                case (.pin, .pin): if !isOnOneCore { return block.words }
                case (.unit, .unit), (.pin, .unit), (.unit, .pin): return block.words
                }
            }
        }
        return nil
    }

    public static func == (a: Self, b: Self) -> Bool { a.items.elementsEqual(b.items) { $0.item == $1.item } }
}

extension AppManifest {
    /// The first two of a device's apps that cannot be there both.
    public static func conflict(_ apps: [(name: String, manifest: AppManifest)]) -> String? {
        apps.enumerated().lazy.compactMap { index, app in apps[..<index].lazy.compactMap { conflict($0, app) }.first }.first
    }

    /// Why two apps cannot be on one device, in words that name both and what both want; nil if they can.
    public static func conflict(_ one: (name: String, manifest: AppManifest), _ other: (name: String, manifest: AppManifest)) -> String? {
        // Each real-time app has a core of its own.
        let isOnOneCore = !one.manifest.isRealTime && !other.manifest.isRealTime
        guard let what = one.manifest.claims.conflict(with: other.manifest.claims, isOnOneCore: isOnOneCore) else { return nil }
        return "apps \(one.name) and \(other.name) both want \(what): \(isOnOneCore ? "only one can have it" : "it goes to one core")"
    }
}
