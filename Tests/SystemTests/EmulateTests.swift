import Foundation
import Testing

/// `orrery emulate` and `orrery glitch` as they are typed.
@Suite(.serialized) struct EmulateTestsSerial {
    private func program(_ name: String) -> String { Testbed.root + "/.build/guest/tests/\(name).elf" }

    @Test func firmwareRunsAndItsEndIsTheExitCode() async throws {
        let testbed = try Testbed()
        let tick = try await testbed.orrery(["emulate", program("tick"), "--for", "2500ms", "--attach", "led@gpio8"])
        #expect(tick.code == 2)
        #expect(
            tick.output.contains("tick\r\n[1.000") && tick.output.contains("gpio8: on\nsecond 1\r\n")
                && tick.output.hasSuffix("second 2\r\n"))
        let timed = try await testbed.orrery(["emulate", program("tick"), "--for", "1s", "--timestamps", "--attach", "led@gpio8:low"])
        #expect(timed.output.hasPrefix("[0.000007] tick\r\n[0.000027] gpio8: on\n"), "\(timed.output)")
        let dog = try await testbed.orrery(["emulate", program("watchdog")])
        #expect(dog.code == 3)
        #expect(dog.errors.contains("core reset: watchdog") && dog.errors.contains("fault: data bus error at 0x40000010"))
        #expect(dog.errors.hasSuffix("locked up\n"))
    }

    @Test func whatIsNoFirmwareIsRefused() async throws {
        let testbed = try Testbed()
        let text = try testbed.write("no program", "x.elf")
        let refused = try await testbed.orrery(["emulate", text])
        #expect(refused.code == 64 && refused.errors.contains("not an ELF file"))
        let nul = try testbed.write("send \"a\"\n\0", "nul.txt")
        for (arguments, words) in [
            (["--attach", "lamp@gpio8"], "unknown attachment 'lamp'"), (["--attach", "led@adc0"], "a led is attached like led@gpio8"),
            (["--attach", "button@gpio12:3s"], "expected times and lengths"), (["--for", "soon"], "is no time"),
            (["--uart", "isu9"], "is none of"), (["--os", "foo"], "is no release"), (["--", "word"], "for a program on the A7"),
            (["--uart", "isu0=script:\(nul)"], "a control character"),
        ] {
            let answer = try await testbed.orrery(["emulate", program("tick")] + arguments)
            #expect(answer.code == 64 && answer.errors.contains(words), "\(answer.errors)")
        }
    }

    /// An app's sources, as its owner has them: CMake with our toolchain, a package, a run. Twice the same package.
    @Test func appsAreBuiltWithCMake() async throws {
        let testbed = try Testbed()
        let toolchain = try await testbed.orrery(["sdk", "toolchain"]).output.split(separator: "\n")[0]
        var packages: [Data] = []
        for folder in ["one", "two"] {
            let build = "\(testbed.folder)/\(folder)"
            _ = try await testbed.tool(
                "/usr/bin/cmake",
                [
                    "-S", "\(Testbed.root)/Sources/Guest/Tests/apps/peripherals", "-B", build, "-G", "Ninja",
                    "-DCMAKE_TOOLCHAIN_FILE=\(toolchain)",
                ])
            _ = try await testbed.tool("/usr/bin/cmake", ["--build", build])
            packages.append(try Data(contentsOf: URL(fileURLWithPath: build + "/peripherals.imagepackage")))
        }
        #expect(packages[0] == packages[1])
        let package = testbed.folder + "/one/peripherals.imagepackage"
        let shown = try await testbed.orrery(["image", "show", package]).output
        #expect(shown.contains("component       a2b1c0d4-0001-4a5e-9c11-3f0e5d2b7a01") && shown.contains("data/greeting.txt  23 bytes"))
        #expect(try await testbed.orrery(["image", "verify", package]).code == 0)
        var changed = packages[0]
        changed[100] ^= 1
        try changed.write(to: URL(fileURLWithPath: testbed.folder + "/changed"))
        #expect(try await testbed.orrery(["image", "verify", testbed.folder + "/changed"]).code == 1)
        _ = try await testbed.orrery(["image", "unpack", package, "-o", testbed.folder + "/files"])
        #expect(try String(contentsOfFile: testbed.folder + "/files/data/greeting.txt", encoding: .utf8) == "hello from the package\n")
        let bill = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: package + ".cdx.json"))) as? [String: Any]
        let packed = (bill?["metadata"] as? [String: Any])?["component"] as? [String: Any]
        #expect(bill?["specVersion"] as? String == "1.6" && (packed?["components"] as? [Any])?.count == 3)
        let run = try await testbed.orrery(["emulate", package, "--attach", "led@gpio8", "--attach", "echo@isu0"])
        #expect(run.code == 3 && run.output.contains("gpio8: on\nled open, not in the manifest: Permission denied\n"), "\(run.errors)")
        let shell = try await testbed.orrery([
            "emulate", "--core", "a7", "\(Testbed.root)/.build/armhf/root/bin/busybox", "--", "sh", "-c", "echo $0 $1; exit 5", "a", "b",
        ])
        #expect(shell.code == 5 && shell.output == "a b\n")
    }

    /// Apps in Swift, from the template to a fleet: the one on the A7 authenticates with the device's certificate.
    @Test func appsAreSwiftPackages() async throws {
        let testbed = try Testbed()
        for (kind, name, triple, flag) in [("app", "Hello", "armv7", []), ("rtapp", "Blink", "armv7em", ["--real-time"])] {
            _ = try await testbed.orrery(["new", kind, name])
            let toolset = try await testbed.orrery(["sdk", "toolset"] + flag).output.split(separator: "\n")[0]
            _ = try await testbed.tool(
                "/usr/bin/env",
                [
                    "swift", "build", "-c", "release", "--package-path", "\(testbed.folder)/\(name)", "--triple",
                    "\(triple)-none-none-eabi",
                    "--toolset", String(toolset),
                ])
        }
        let blink = testbed.folder + "/Blink"
        let packed = try await testbed.orrery([
            "image", "pack", "--manifest", "\(blink)/app_manifest.json", "--program",
            "\(blink)/.build/armv7em-none-none-eabi/release/Blink",
            "-o", "\(blink)/Blink.imagepackage",
        ])
        #expect(packed.code == 0, "\(packed.errors)")
        let file = try testbed.write(
            """
            name: swift
            stop: 3m
            networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
            links: [[home, cloud]]
            service: { network: cloud, catalog: acme }
            apps:
              hello: { program: Hello/.build/armv7-none-none-eabi/release/Hello, manifest: Hello/app_manifest.json }
              blink: { program: Blink/.build/armv7em-none-none-eabi/release/Blink, manifest: Blink/app_manifest.json }
            devices: { lamp: { network: home, apps: [hello, blink], attach: ['led@gpio8'] } }
            """, "swift.yaml")
        let run = try await testbed.orrery(["run", file, "--out", testbed.folder + "/run"])
        #expect(run.code == 0, "\(run.errors)")
        let journal = try await testbed.tool("/bin/sh", ["-c", "cat '\(testbed.folder)'/run/swift/*/journal.ndjson"])
        for wanted in [
            #""kind":"message-received","device":"lamp","subject":"Hello","text":"3""#,
            #""kind":"app-log","app":"hello","text":"message 3: status 200""#, #""name":"gpio8","text":"on""#,
        ] { #expect(journal.contains(wanted), "\(wanted)") }
        let again = try await testbed.orrery(["new", "app", "Hello"])
        #expect(again.code == 64 && again.errors == "Hello is there already\n")
        #expect(try await testbed.orrery(["new", "app", "1"]).code == 64)
    }

    /// Somebody else's Cortex-M4F computes the same from the same file.
    @Test func resultsAreThoseOfQEMU() async throws {
        let testbed = try Testbed()
        let elf = program("compute")
        let symbols = try await testbed.tool("/usr/bin/arm-none-eabi-nm", [elf])
        let line = try #require(symbols.split(separator: "\n").first { $0.hasSuffix(" T reset") })
        let entry = try #require(UInt32(line.prefix(8), radix: 16)) | 1
        // Its board wants a vector table at 0.
        let vectors = testbed.folder + "/vectors.bin"
        let words = [UInt32(0x0013_0000), entry].flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) } }
        try Data(words).write(to: URL(fileURLWithPath: vectors))
        let theirs = try await testbed.tool(
            "/bin/sh",
            [
                "-c",
                "exec qemu-system-arm -M mps2-an386 -display none -monitor none -serial none -semihosting -kernel '\(vectors)' -device 'loader,file=\(elf)' 2>&1",
            ])
        let ours = try await testbed.orrery(["emulate", elf, "--for", "100s"])
        #expect(ours.code == 0 && ours.output.contains("float 9c3c81cb"))
        #expect(ours.output == theirs)
    }

    /// Some faults start unsigned code that the ROM has measured: the fleet refuses such a device. After others the
    /// implant measures in its own name what should have been there: nobody notices, and the study says so.
    @Test func faultsAreFollowedToTheFleet() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(RunTestsSerial.topology, "pair.yaml")
        let study = try await testbed.orrery(["glitch", file, "--device", "fridge", "--boot-code", "plain", "--window", "290..760"])
        #expect(study.code == 1, "\(study.errors)")
        #expect(study.output.contains("refused by attestation (measurement of 1BL is not a reference value); no peer trusts it"))
        #expect(study.output.contains("NOBODY NOTICED: attested, and 1 peers trust it"))
        let hardened = try await testbed.orrery(
            ["glitch", file, "--device", "fridge", "--boot-code", "hardened", "--window", "290..760", "--format", "csv"])
        #expect(hardened.code == 0 && !hardened.output.contains("unsigned"))
        #expect(hardened.output.split(separator: "\r\n").count == 471)
    }
}
