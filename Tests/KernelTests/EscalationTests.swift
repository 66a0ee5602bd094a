import Emulator
import Formats
import Foundation
import Kernel
import SecureChannel
import Silicon
import Testing

/// Published weaknesses that lead an app beyond itself: to other users, to Pluton, to the security monitor, to the kernel's memory.
@Suite struct EscalationTests {
    private final class Silicon {
        let path = NSTemporaryDirectory() + "orrery-pluton-\(UUID().uuidString)"
        let pluton: Pluton
        let mailbox: PlutonMailbox

        init() throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try Data(repeating: 0xFF, count: Flash.totalBytes).write(to: URL(fileURLWithPath: path + "/base"))
            let fuses = try FuseBank(path: path + "/fuses")
            pluton = try Pluton(fuses: fuses, flash: try Flash(basePath: path + "/base", overlayPath: path + "/flash"), storage: .fuses)
            mailbox = PlutonMailbox(pluton: pluton, fuses: fuses, seed: [1])
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private static let component = "25025d2c-66da-4448-bae1-ac26fcdd3629"

    /// Runs the attack as an app, twice if it crashes: the OS would start it again.
    private func run(
        _ weakness: Weakness, on weaknesses: Set<Weakness>, _ silicon: Silicon? = nil, tenant: Bool = true
    ) throws -> Program {
        let manifest = try AppManifest(
            json: Array(
                """
                {"SchemaVersion":1,"Name":"implant","ComponentId":"\(Self.component)","EntryPoint":"/bin/app",
                "CmdArgs":["\(weakness.rawValue)","\(Self.component)"],"Capabilities":{"MutableStorage":{"SizeKB":8}
                \(tenant ? #","DeviceAuthentication":"b2b1c0d4-0001-4a5e-9c11-3f0e5d2b7a09""# : "")}}
                """.utf8))
        let image = AppImage(
            files: ["bin/app": try Program.bytes(".build/guest/tests/escalation.elf", madeBy: "scripts/guest --tests")],
            devices: weakness == .imageDevices ? ["dev/uart": ImageDevice(major: 4, minor: 65)] : [:], manifest: manifest)
        let system = SystemState()
        let first = try Program(image, weaknesses: weaknesses, system: system, pluton: silicon?.mailbox)
        guard case .killed(SignalNumber.illegal) = first.end else { return first }
        return try Program(image, mutable: first.mutableFile, weaknesses: weaknesses, system: system, pluton: silicon?.mailbox)
    }

    /// With what else is needed for it: the weaknesses that lead there.
    @Test(
        arguments: [
            (.followedLinks, []), (.powerfulDaemon, [.followedLinks, .duplicateUser]), (.duplicateUser, [.followedLinks, .powerfulDaemon]),
            (.peripheralSwitch, []), (.plutonOverflow, []), (.staleSocket, []), (.treeMapping, [.staleSocket]),
            (.unsignedManifest, [.staleSocket]), (.uncheckedCommit, [.staleSocket]), (.uncheckedOffset, [.staleSocket]), (.pinLeak, []),
        ] as [(Weakness, Set<Weakness>)]) func isThereUntilItsFix(weakness: Weakness, with others: Set<Weakness>) throws
    {
        let silicon = try Silicon()
        let weak = try run(weakness, on: others.union([weakness]), silicon, tenant: false)
        #expect(weak.end == .exited(1) && weak.output.contains("\(weakness.rawValue): compromised"), "\(weak.output)\(weak.end)")
        let sound = try run(weakness, on: Set(Weakness.allCases).subtracting([weakness]), silicon)
        #expect(sound.end == .exited(0) && sound.output.contains("\(weakness.rawValue): defended"), "\(sound.output)\(sound.end)")
    }

    /// An image with a device node in it is not started at all.
    @Test func imagesBringNoDevices() throws {
        #expect(try run(.imageDevices, on: [.imageDevices]).output == "A-07: compromised: wrote to another app's UART\n")
        #expect(throws: Kernel.StartFailure.self) {
            try run(.imageDevices, on: Set(Weakness.allCases).subtracting([.imageDevices]))
        }
        let image = CompressedROM.pack(["bin/app": [1]], devices: ["dev/uart": ImageDevice(major: 4, minor: 65)], name: "x")
        #expect(throws: CompressedROM.Failure.specialFile("dev/uart")) { try CompressedROM.unpack(image) }
        #expect(try CompressedROM.contents(image, takesDevices: true).devices == ["dev/uart": ImageDevice(major: 4, minor: 65)])
    }

    /// Requests without end, or two at once, take the whole device down.
    @Test(arguments: [(Weakness.plutonFlood, "out of memory"), (.plutonRace, "two commands at once")])
    func plutonIsNotBroughtDown(weakness: Weakness, words: String) throws {
        let silicon = try Silicon()
        let weak = try run(weakness, on: [weakness], silicon)
        #expect(weak.end == .killed(signal: SignalNumber.kill))
        #expect(
            weak.events.contains { if case .panic(let reason) = $0 { reason.contains(words) } else { false } }, "\(weak.events)")
        let sound = try run(weakness, on: Set(Weakness.allCases).subtracting([weakness, .plutonFlood, .plutonRace]), silicon)
        #expect(sound.end == .exited(0) && sound.output.hasPrefix("\(weakness.rawValue): defended"), "\(sound.output)")
    }

    /// What an overflowing request gets is a signature of the key that evidence is signed with.
    @Test func theAttestationKeySignsNothingForApps() throws {
        let silicon = try Silicon()
        let answer = try run(.plutonOverflow, on: [.plutonOverflow], silicon).lines
        let signature = try #require(answer.first.flatMap { [UInt8](hex: $0) })
        let digest = [UInt8](repeating: 0xA5, count: 32)
        #expect(silicon.pluton.generalPublicKey != silicon.pluton.devicePublicKey)
        #expect(silicon.pluton.devicePublicKey.isValid(signature: signature, digest: digest))
    }
}
