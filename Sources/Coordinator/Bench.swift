import Formats
import Foundation
import Wire

/// Tools in hand: what somebody does to chips while the power is off. An attack says what; this is the clip, the
/// soldering iron and the laboratory.
enum Bench {
    /// Carries out an order on a device's files; the process is started afterwards.
    static func carryOut(_ order: ProcessOrder, _ folder: RunFolder) throws {
        switch order.verb {
        case .kill, .start: break
        case .clone: try copy(order.template, as: order.node, chips: ["flash.bin"], folder)
        case .duplicate: try copy(order.template, as: order.node, chips: ["flash.bin", "fuses.bin"], folder)
        case .rewrite:
            guard let edit = FlashEdit(order.template) else { throw RunError("no flash edit: \(order.template)") }
            try rewrite(try configuration(of: order.node, folder), edit)
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
    private static func rewrite(_ device: DeviceConfiguration, _ edit: FlashEdit) throws {
        guard let base = FileManager.default.contents(atPath: device.baseImagePath),
            var overlay = FileManager.default.contents(atPath: device.statePath + "/flash.bin")
        else { throw RunError("cannot read the flash of \(device.setting.name)") }
        let sector = FlashLayout.sectorBytes
        func isWritten(_ number: Int) -> Bool { overlay[FlashOverlay.bitmapOffset + number / 8] & 1 << (number % 8) != 0 }
        func read(_ number: Int) -> [UInt8] {
            let start = isWritten(number) ? FlashOverlay.headerBytes + number * sector : number * sector
            return Array((isWritten(number) ? overlay : base)[start..<start + sector])
        }
        let tables = FlashLayout.tableOffsets.compactMap { try? FlashLayout(sector: read($0 / sector)) }
        guard let table = tables.max(by: { $0.generation < $1.generation }),
            let type = ImageType.allCases.first(where: { $0.name == edit.image }), let place = table.place(type, 0, .primary)
        else { return }
        let (offset, length) = (Int(table.entries[place].offset), Int(table.entries[place].length))
        let numbers = Array(offset / sector...(offset + length - 1) / sector)
        var content = numbers.flatMap(read)
        guard let range = content.firstRange(of: Array(edit.find.utf8)) else { return }
        content.replaceSubrange(range, with: Array(edit.replacement.utf8))
        for (index, number) in numbers.enumerated() {
            let start = FlashOverlay.headerBytes + number * sector
            overlay.replaceSubrange(start..<start + sector, with: content[index * sector..<(index + 1) * sector])
            overlay[FlashOverlay.bitmapOffset + number / 8] |= 1 << (number % 8)
        }
        try RunFolder.write(Array(overlay), device.statePath + "/flash.bin")
    }
}
