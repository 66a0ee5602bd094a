import ArgumentParser
import EmulatorHost
import Formats
import Silicon

/// What chips there are, and what they are made of.
struct Chips: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What chips 'orrery emulate --chip' knows, and what blocks; or one chip as a file.",
        discussion: "With a name, the chip's description is written as YAML: a change of it is another chip, for --chip FILE.")

    @Argument(help: "One chip, or a file that describes one, which is checked.") var name: String?

    func run() throws {
        if let name {
            print(try Chip.chosen(name).fileText, terminator: "")
            return
        }
        for chip in Chip.names { print(chip) }
        print("\nBlocks that a chip can be made of:")
        for type in Chip.blockTypes.sorted(by: { $0.name < $1.name }) {
            print("  \(type.name)\n      \(type.summary)")
            if !type.interrupts.isEmpty { print("      interrupts: \(type.interrupts.joined(separator: ", "))") }
            for setting in type.settings {
                print(
                    "      setting \(setting.name): \(setting.range.lowerBound) to \(setting.range.upperBound)\(setting.isRequired ? ", required" : "")"
                )
            }
        }
    }
}

extension Emulate {
    func chosenChip() throws -> Chip { try Chip.chosen(chip) }

    /// What belongs to the MT3620 alone.
    func refuseForOtherChip() throws {
        for (isAsked, option) in [
            (files.count > 1, "more than one program"), (core == .a7, "--core a7"), (program.root != nil, "--root"),
            (manifest != nil, "--manifest"), (clock == .wall, "--clock wall"),
            (attachments.contains(where: Attachments.isOutside), "a UART on a terminal or on TCP"),
        ] where isAsked { throw ValidationError("\(option): for the mt3620 only, not for \(chip)") }
    }
}
