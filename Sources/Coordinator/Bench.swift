import Catalogue
import Configuration
import Emulator
import Formats
import Foundation
import SecureChannel
import Silicon
import Wire

/// Tools in hand: what somebody does to chips while the power is off. An attack says what; this is the clip, the
/// soldering iron, the glitcher and the laboratory.
enum Bench {
    /// Carries out an order on a device's files; the process is started afterwards.
    static func carryOut(_ order: ProcessOrder, _ folder: RunFolder) throws {
        switch order.verb {
        case .kill, .start: break
        case .clone: try copy(order.template, as: order.node, chips: ["flash.bin"], folder)
        case .duplicate: try copy(order.template, as: order.node, chips: ["flash.bin", "fuses.bin"], folder)
        case .rewrite:
            guard let edit = FlashEdit(order.template) else { throw RunError("no flash edit: \(order.template)") }
            try rewrite(try configuration(of: order.node, folder), edit, folder)
        case .glitch where order.template == ProcessOrder.undo: try removeImplant(order.node, folder)
        case .glitch: try glitch(order.node, folder)
        case .recover: try recover(order, folder)
        }
    }

    private static func configuration(of node: String, _ folder: RunFolder) throws -> DeviceConfiguration {
        let data = FileManager.default.contents(atPath: Workshop.configuration(folder, node)) ?? Data()
        return try JSONDecoder().decode(DeviceConfiguration.self, from: data)
    }

    /// New silicon with copies of another device's chips, set up to be that device.
    private static func copy(_ victim: String, as name: String, chips: [String], _ folder: RunFolder) throws {
        var device = try configuration(of: victim, folder)
        device.setting.name = name
        device.statePath = folder.state(name)
        try RunFolder.make(device.statePath)
        for chip in chips {
            try? FileManager.default.removeItem(atPath: "\(device.statePath)/\(chip)")
            try FileManager.default.copyItem(atPath: "\(folder.state(victim))/\(chip)", toPath: "\(device.statePath)/\(chip)")
        }
        try RunFolder.writeJSON(device, Workshop.configuration(folder, name))
    }

    /// Replaces text in the primary copy of an image. Nothing happens if it is not there.
    private static func rewrite(_ device: DeviceConfiguration, _ edit: FlashEdit, _ folder: RunFolder) throws {
        var chip = try FlashChip(device)
        guard let type = ImageType.allCases.first(where: { $0.name == edit.image }), let place = chip.place(type, .primary) else { return }
        var content = chip.read(place)
        guard let range = content.firstRange(of: Array(edit.find.utf8)) else { return }
        content.replaceSubrange(range, with: Array(edit.replacement.utf8))
        chip.write(place.lowerBound, content)
        try chip.save()
        // As the backup copy has it, it is the factory's again.
        let isGenuine = chip.place(type, .backup).map { chip.read($0) == content } ?? false
        var marked = device
        marked.benchMarks = isGenuine ? [] : [sha256(content).hex]
        try RunFolder.writeJSON(marked, Workshop.configuration(folder, device.setting.name))
    }

    /// A cable at the debug UART, and RTS held when the power comes back.
    private static func recover(_ order: ProcessOrder, _ folder: RunFolder) throws {
        var device = try configuration(of: order.node, folder)
        device.recovery = RecoveryOrder(generation: order.generation, files: try Workshop.recoveryFiles(of: device))
        try RunFolder.writeJSON(device, Workshop.configuration(folder, order.node))
    }

    // MARK: The glitcher

    /// What was in place of the implant.
    private static func genuinePath(_ device: DeviceConfiguration) -> String { device.statePath + "/genuine-1bl.bin" }

    /// An implant in place of 1BL, and power again and again with a fault at another place each time, until the implant says
    /// that it runs and that nobody has measured it.
    private static func glitch(_ node: String, _ folder: RunFolder) throws {
        var device = try configuration(of: node, folder)
        var chip = try FlashChip(device)
        guard let place = chip.place(.oneBL, .primary) else { return }
        let genuine = chip.read(place)
        let path = folder.state("implant.elf")
        guard let program = FileManager.default.contents(atPath: path).flatMap({ try? ELFImage(Array($0)) }),
            let package = Implant.package(replacing: genuine, digest: sha256(genuine), code: program.flat(from: FlashLayout.loaderAddress))
        else { throw RunError("no implant that fits: \(path)") }
        try RunFolder.write(genuine, genuinePath(device))
        chip.write(place.lowerBound, package)
        try chip.save()
        device.bootGlitch = try search(device, chip)?.text
        device.benchMarks = [sha256(package).hex]
        try RunFolder.writeJSON(device, Workshop.configuration(folder, node))
    }

    private static func search(_ device: DeviceConfiguration, _ chip: FlashChip) throws -> Glitch? {
        let fuses = try FuseBank(path: device.statePath + "/fuses.bin")
        let counters = (0..<FuseBank.counterCount).map(fuses.counter)
        return try GlitchSearch.firstUnnoticed(
            rom: SecurityCore.readROM(path: device.romPath), surroundings(of: device, chip, counters: counters))
    }

    /// What the security core of a device on the bench sees. Random delays are the same in every trial: it is one boot whose
    /// instructions are looked at.
    static func surroundings(of device: DeviceConfiguration, _ chip: FlashChip, counters: [Int]) -> BootSurroundings {
        // Boot code reads words, thousands of times in each of thousands of trials: all of it at once.
        let flash = chip.read(0..<Flash.totalBytes)
        return BootSurroundings(
            bootKeyHash: [UInt8](hex: device.bootKeyHash) ?? [], counters: counters, isSecure: !device.controlsOff.contains(.secureBoot),
            refusesOldVersions: !device.controlsOff.contains(.rollbackProtection),
            verifyNanoseconds: device.cryptoCost.verifyNanoseconds, random: { 5 },
            readFlash: { $0 >= 0 && $1 >= 0 && $0 <= flash.count - $1 ? Array(flash[$0..<$0 + $1]) : nil })
    }

    private static func removeImplant(_ node: String, _ folder: RunFolder) throws {
        var device = try configuration(of: node, folder)
        if let genuine = FileManager.default.contents(atPath: genuinePath(device)) {
            var chip = try FlashChip(device)
            if let place = chip.place(.oneBL, .primary), place.count == genuine.count { chip.write(place.lowerBound, Array(genuine)) }
            try chip.save()
        }
        device.bootGlitch = nil
        device.benchMarks = []
        try RunFolder.writeJSON(device, Workshop.configuration(folder, node))
    }
}

/// The flash chip of a device that has no power, in a clip.
struct FlashChip {
    private let path: String
    private let base: Data
    private var overlay: Data

    init(_ device: DeviceConfiguration) throws {
        path = device.statePath + "/flash.bin"
        guard let base = FileManager.default.contents(atPath: device.baseImagePath) else {
            throw RunError("cannot read the flash of \(device.setting.name)")
        }
        self.base = base
        // A device that has never had power is as the factory has made it.
        overlay = FileManager.default.contents(atPath: path) ?? Data(count: FlashOverlay.headerBytes)
    }

    private static let sector = FlashLayout.sectorBytes

    private func isWritten(_ number: Int) -> Bool { overlay[FlashOverlay.bitmapOffset + number / 8] & 1 << (number % 8) != 0 }

    private func read(sector number: Int) -> Data {
        let start = isWritten(number) ? FlashOverlay.headerBytes + number * FlashChip.sector : number * FlashChip.sector
        return (isWritten(number) ? overlay : base)[start..<start + FlashChip.sector]
    }

    func read(_ range: Range<Int>) -> [UInt8] {
        guard !range.isEmpty else { return [] }
        let first = range.lowerBound / FlashChip.sector
        let sectors = (first...(range.upperBound - 1) / FlashChip.sector).reduce(into: Data()) { $0 += read(sector: $1) }
        let start = range.lowerBound - first * FlashChip.sector
        return Array(sectors[start..<start + range.count])
    }

    mutating func write(_ offset: Int, _ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        let numbers = offset / FlashChip.sector...(offset + bytes.count - 1) / FlashChip.sector
        var content = numbers.reduce(into: Data()) { $0 += read(sector: $1) }
        let start = offset - numbers.lowerBound * FlashChip.sector
        content.replaceSubrange(start..<start + bytes.count, with: bytes)
        for number in numbers {
            let from = (number - numbers.lowerBound) * FlashChip.sector
            let to = FlashOverlay.headerBytes + number * FlashChip.sector
            overlay.replaceSubrange(to..<to + FlashChip.sector, with: content[from..<from + FlashChip.sector])
            overlay[FlashOverlay.bitmapOffset + number / 8] |= 1 << (number % 8)
        }
    }

    func save() throws { try RunFolder.write(Array(overlay), path) }

    /// Where a copy of the first image of a type lies, as the newer of the readable tables has it.
    func place(_ type: ImageType, _ slot: FlashLayout.Slot) -> Range<Int>? {
        guard let table = FlashLayout.newest({ read($0..<$0 + $1) }), let place = table.place(type, 0, slot) else { return nil }
        let entry = table.entries[place]
        return Int(entry.offset)..<Int(entry.offset) + Int(entry.length)
    }
}
