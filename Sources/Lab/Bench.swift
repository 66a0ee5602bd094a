public import Configuration
public import Emulator
public import Formats
import Foundation
import SecureChannel
import Silicon
public import Wire

/// Tools in hand: what somebody does to chips while the power is off. An attack says what; this is the clip, the
/// soldering iron, the glitcher and the laboratory.
public struct Bench {
    /// Where the folders of all nodes lie.
    let folder: String
    public init(folder: String) { self.folder = folder }

    /// Carries out an order on a device's files; the process is started afterwards.
    public func carryOut(_ order: ProcessOrder) throws {
        switch order.verb {
        case .kill, .start: break
        case .clone: try clone(order.template, as: order.node)
        case .duplicate:
            try copy(order.template, as: order.node, chips: ["flash.bin"] + SecretChips.of(try configuration(of: order.template)))
        case .rewrite:
            guard let edit = FlashEdit(order.template) else { throw LabError("no flash edit: \(order.template)") }
            try rewrite(try configuration(of: order.node), edit)
        case .glitch where order.template == ProcessOrder.undo: try removeImplant(order.node)
        case .glitch: try glitch(order.node)
        case .recover: try recover(order)
        }
    }

    private func configuration(of node: String) throws -> DeviceConfiguration {
        let data = FileManager.default.contents(atPath: state(node) + "/node.json") ?? Data()
        return try JSONDecoder().decode(DeviceConfiguration.self, from: data)
    }

    /// The flash of a device on other hardware of the same make, which has secrets of its own.
    private func clone(_ victim: String, as name: String) throws {
        try copy(victim, as: name, chips: ["flash.bin"])
        let spare = "\(state(victim))/\(SpareBoard.file)"
        guard FileManager.default.fileExists(atPath: spare) else { return }
        var device = try configuration(of: name)
        device.boardSerial = SpareBoard.serial(of: victim)
        try? FileManager.default.removeItem(atPath: "\(device.statePath)/tpm.bin")
        try FileManager.default.copyItem(atPath: spare, toPath: "\(device.statePath)/tpm.bin")
        try write(device)
    }

    /// New silicon with copies of another device's chips, set up to be that device.
    private func copy(_ victim: String, as name: String, chips: [String]) throws {
        var device = try configuration(of: victim)
        device.boardSerial = device.boardSerial ?? victim
        device.setting.name = name
        device.statePath = state(name)
        try FileManager.default.createDirectory(atPath: device.statePath, withIntermediateDirectories: true)
        for chip in chips {
            try? FileManager.default.removeItem(atPath: "\(device.statePath)/\(chip)")
            try FileManager.default.copyItem(atPath: "\(state(victim))/\(chip)", toPath: "\(device.statePath)/\(chip)")
        }
        try write(device)
    }

    /// Replaces text in the primary copy of an image. Nothing happens if it is not there.
    private func rewrite(_ device: DeviceConfiguration, _ edit: FlashEdit) throws {
        let chip = try FlashClip(device)
        let edit = edit.onBoard(of: device)
        guard let type = ImageType.allCases.first(where: { $0.name == edit.image }), let place = chip.place(type, .primary) else { return }
        var content = chip.read(place)
        guard let range = content.firstRange(of: Array(edit.find.utf8)) else { return }
        content.replaceSubrange(range, with: Array(edit.replacement.utf8))
        chip.write(place.lowerBound, content)
        // As the backup copy has it, it is the factory's again.
        let isGenuine = chip.place(type, .backup).map { chip.read($0) == content } ?? false
        var marked = device
        marked.benchMarks = isGenuine ? [] : [sha256(content).hex]
        try write(marked)
    }

    /// A cable at the debug UART, and RTS held when the power comes back.
    private func recover(_ order: ProcessOrder) throws {
        var device = try configuration(of: order.node)
        device.recovery = RecoveryOrder(generation: order.generation, files: try Bench.recoveryFiles(of: device, for: order.template))
        try write(device)
    }

    // MARK: The glitcher

    /// What was in place of the implant.
    private func genuinePath(_ device: DeviceConfiguration) -> String { device.statePath + "/genuine-1bl.bin" }

    /// An implant in place of 1BL, and power again and again with a fault at another place each time, until the implant says
    /// that it runs and that nobody has measured it.
    private func glitch(_ node: String) throws {
        var device = try configuration(of: node)
        let chip = try FlashClip(device)
        guard let place = chip.place(.oneBL, .primary) else { return }
        try write(chip.read(place), genuinePath(device))
        let package = try implant(in: chip, place)
        device.bootGlitch = try search(device, chip)?.text
        device.benchMarks = [sha256(package).hex]
        try write(device)
    }

    /// An implant in place of 1BL, and the fault that is to start it, in a device that has had no power yet.
    public func prepare(_ node: String, glitch: String?) throws {
        var device = try configuration(of: node)
        let chip = try FlashClip(device)
        guard let place = chip.place(.oneBL, .primary) else { throw LabError("the flash of \(node) has no 1BL") }
        _ = try implant(in: chip, place)
        device.bootGlitch = glitch
        try write(device)
    }

    private func implant(in chip: FlashClip, _ place: Range<Int>) throws -> [UInt8] {
        let path = state("implant.elf")
        let genuine = chip.read(place)
        guard let program = FileManager.default.contents(atPath: path).flatMap({ try? ELFImage(Array($0)) }),
            let package = Implant.package(replacing: genuine, digest: sha256(genuine), code: program.flat(from: FlashLayout.loaderAddress))
        else { throw LabError("no implant that fits: \(path)") }
        chip.write(place.lowerBound, package)
        return package
    }

    /// Tries faults in the boot of a device that has had no power yet.
    ///
    /// - Parameters:
    ///   - build: What the boot code's build is called.
    ///   - rom: The mask ROM, which is what the device runs.
    ///   - loader: 1BL, for the names of places.
    public func glitchSearch(of node: String, build: String, rom: ELFImage, loader: ELFImage) throws -> GlitchSearch {
        let device = try configuration(of: node)
        let chip = try FlashClip(device)
        let counters = [Int](repeating: 0, count: FuseBank.counterCount)
        return try GlitchSearch(
            build: build, rom: rom, programs: [rom, loader], surroundings: surroundings(of: device, chip, counters: counters),
            genuine: try chip.backupDigests)
    }

    private func search(_ device: DeviceConfiguration, _ chip: FlashClip) throws -> Glitch? {
        let fuses = try FuseBank(path: device.statePath + "/fuses.bin")
        let counters = (0..<FuseBank.counterCount).map(fuses.counter)
        return try GlitchSearch.firstUnnoticed(
            rom: SecurityCore.readROM(path: device.romPath), surroundings(of: device, chip, counters: counters))
    }

    /// What the security core of a device on the bench sees. Random delays are the same in every trial: it is one boot whose
    /// instructions are looked at.
    private func surroundings(of device: DeviceConfiguration, _ chip: FlashClip, counters: [Int]) -> BootSurroundings {
        // Boot code reads words, thousands of times in each of thousands of trials: all of it at once.
        let flash = chip.read(0..<Flash.totalBytes)
        return BootSurroundings(
            bootKeyHash: [UInt8](hex: device.bootKeyHash) ?? [], counters: counters, isSecure: device.protections.secureBoot,
            refusesOldVersions: device.protections.rollbackProtection,
            verifyNanoseconds: device.cryptoCost.verifyNanoseconds, random: { 5 },
            readFlash: { $0 >= 0 && $1 >= 0 && $0 <= flash.count - $1 ? Array(flash[$0..<$0 + $1]) : nil })
    }

    private func removeImplant(_ node: String) throws {
        var device = try configuration(of: node)
        if let genuine = FileManager.default.contents(atPath: genuinePath(device)) {
            let chip = try FlashClip(device)
            if let place = chip.place(.oneBL, .primary), place.count == genuine.count { chip.write(place.lowerBound, Array(genuine)) }
        }
        device.bootGlitch = nil
        device.benchMarks = []
        try write(device)
    }

    // MARK: Files

    /// What a technician sends to a device, in its order.
    /// - Parameter step: What a technician is sent for; where nothing has been made for it, it is what left the factory.
    public static func recoveryFiles(of device: DeviceConfiguration, for step: String = "") throws -> [String] {
        let own = device.recoveryFolder(for: step)
        let folder = FileManager.default.fileExists(atPath: own) ? own : device.recoveryFolder()
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder), !names.isEmpty else {
            throw LabError("there is nothing to recover \(device.setting.name) with: \(folder) is not there")
        }
        return names.sorted().map { "\(folder)/\($0)" }
    }

    /// The same, for a device by its `node.json`.
    public static func recoveryFiles(ofConfigurationAt path: String) throws -> [String] {
        let data = FileManager.default.contents(atPath: path) ?? Data()
        return try recoveryFiles(of: JSONDecoder().decode(DeviceConfiguration.self, from: data))
    }

    private func state(_ name: String) -> String { "\(folder)/\(name)" }

    private func write(_ device: DeviceConfiguration) throws {
        try write(Array(try JSON.pretty(device).utf8), state(device.setting.name) + "/node.json")
    }

    private func write(_ bytes: [UInt8], _ path: String) throws {
        do { try Data(bytes).write(to: URL(fileURLWithPath: path)) } catch {
            throw LabError("cannot write \(path): \(error.localizedDescription)")
        }
    }
}

/// What keeps somebody at a bench from his work.
public struct LabError: Error, CustomStringConvertible {
    public var description: String
    init(_ description: String) { self.description = description }
}
