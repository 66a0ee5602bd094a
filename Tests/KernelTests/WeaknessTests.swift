import Emulator
import Kernel
import Testing

/// Each published weakness, replayed as machine code on an OS that has it and on one that has not.
@Suite struct WeaknessTests {
    @Test(arguments: [Weakness.procMemory, .threadMemory, .taskMemory, .readImpliesExecute, .kernelLog, .randomFill])
    func isThereUntilItsFix(_ weakness: Weakness) throws {
        let weak = try Program.own("weaknesses", weakness.rawValue, weaknesses: [weakness])
        #expect(weak.end == .exited(1) && weak.output.hasPrefix("\(weakness.rawValue): compromised"), "\(weak.output)")
        // All others together do not help.
        let sound = try Program.own("weaknesses", weakness.rawValue, weaknesses: Set(Weakness.allCases).subtracting([weakness]))
        #expect(sound.end == .exited(0) && sound.output.hasPrefix("\(weakness.rawValue): defended"), "\(sound.output)")
    }

    @Test func theQuotaIsEnforcedSinceItsFix() throws {
        #expect(try Program(app: "peripherals", weaknesses: [.storageQuota]).lines.contains("beyond its size: 8 "))
        #expect(try Program(app: "peripherals").lines.contains("beyond its size: 2 "))
    }

    @Test func releasesHaveWhatWasFixedLater() {
        #expect(Weakness.present(in: "20.05") == Set(Weakness.allCases))
        #expect(
            Set(Weakness.allCases).subtracting(Weakness.present(in: "20.06")) == [.imageDevices, .peripheralSwitch, .plutonFlood])
        #expect(
            Weakness.present(in: "20.12") == [.unsignedManifest, .uncheckedCommit, .plutonRace, .pinLeak, .treeMapping])
        #expect(Weakness.present(in: "26.11").isEmpty)
    }
}
