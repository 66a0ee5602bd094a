import Foundation
import Testing

/// The SDK by the commands of the original's documentation: presets, a toolchain file, both kinds of core, each board.
@Suite(.serialized) struct SDKTestsSerial {
    /// Configures and builds what is in a folder of `Sources/Guest/Tests/sdk` or the test's own.
    func build(_ testbed: Testbed, _ folder: String) async throws -> String {
        try await testbed.tool(
            "/bin/sh",
            [
                "-c",
                """
                [ -d '\(folder)' ] || cp -r '\(Testbed.root)/Sources/Guest/Tests/sdk/\(folder)' .
                cd '\(folder)'; environment=$('\(Testbed.orreryPath)' sdk environment) && eval "$environment"
                { cmake --preset ARM-Debug && cmake --build out/ARM-Debug -- -k 0; } 2>&1
                """,
            ])
    }

    @Test func presetsBuildEachHeaderAndBoard() async throws {
        let testbed = try Testbed()
        let said = try await build(testbed, "highlevel")
        #expect(said.contains("warning: ") && said.contains("HeapMemStats is granted, but nobody asks for"), "\(said)")
        #expect(said.contains("plus.json: ComponentId is no GUID: this package has "))
        let out = "highlevel/out/ARM-Debug"
        for (board, pin) in [
            ("mt3620_rdb", 8), ("avnet_mt3620_sk", 8), ("avnet_mt3620_sk_rev2", 8), ("seeed_mt3620_mdb", 7), ("usi_mt3620_bt_evb", 8),
            ("own_board", 9),
        ] {
            let run = try await testbed.orrery(["emulate", "\(out)/\(board).imagepackage", "--attach", "led@gpio\(pin):low"])
            #expect(
                run.code == 0 && run.output.contains("lamp on pin \(pin)\n") && run.output.contains("gpio\(pin): on"), "\(board): \(run)")
        }
        let headers = try await testbed.orrery(["emulate", "\(out)/headers.imagepackage"])
        let expected = try String(contentsOfFile: "\(Testbed.root)/Sources/Guest/Tests/sdk/highlevel/headers.txt", encoding: .utf8)
        #expect(headers.code == 0 && headers.output == expected, "\(headers.output)")
        let plus = try await testbed.orrery(["emulate", "\(out)/plus.imagepackage"])
        #expect(
            plus.output
                == "one is 1\ntwo is 2\nmade before main, root 1.5\ncaught\nthread 7, pin -1, port 4\nand gone after it\n", "\(plus)")
        let bill = try await testbed.orrery(["sbom", "\(out)/analog.imagepackage", "--supplier", "Acme"]).output
        for word in ["\"Acme\"", "pkg:generic/glibc@2", "pkg:generic/applibs@26", "pkg:generic/libgcc@1"] {
            #expect(bill.contains(word), "\(word)")
        }
        let analog = try await testbed.orrery(["emulate", "\(out)/analog.imagepackage"])
        #expect(
            analog.output == """
                current_bits of channel 2: 12
                reference_voltage of channel 2: 2.500
                set: 0
                too short: -1 Invalid argument
                no channel: -1 Invalid argument

                """, "\(analog)")
        let web = try await testbed.orrery(["emulate", "\(out)/web.imagepackage"])
        #expect(web.output.hasPrefix("libcurl/") && web.output.contains(" wolfSSL/"), "\(web)")
        #expect(
            web.output.split(separator: "\n", maxSplits: 1).last
                == """
                easy: Couldn't connect to server
                multi: Couldn't connect to server
                name: 1
                check: 1
                roots: 0
                no device: 1 58

                """, "\(web)")
    }

    @Test func realTimeCoresTakeTheirOwnSpecsAndCPlusPlus() async throws {
        let testbed = try Testbed()
        let said = try await build(testbed, "realtime")
        #expect(said.contains("ExternalInterrupt is read, but not enforced"), "\(said)")
        let run = try await testbed.orrery(["emulate", "realtime/out/ARM-Debug/core.imagepackage", "--for", "100ms"])
        #expect(run.output == "counted 42, core ready\r\n", "\(run)")
    }

    /// What stands for nothing is refused by whoever uses it, with both names; so is an API set of the future.
    @Test func whatStandsForNothingIsRefusedWhereItIsUsed() async throws {
        let testbed = try Testbed()
        let boards = "\(Testbed.root)/Sources/Guest/Tests/sdk/highlevel/boards"
        for (name, words) in [
            ("OWN_BUZZER", "app_manifest.json: Gpio: '$OWN_BUZZER' stands for 'MT3620_RDB_BUZZER', which is in no hardware definition"),
            ("NOBODY", "app_manifest.json: Gpio: '$NOBODY' is in no hardware definition"),
            ("MT3620_SPI_CS_A", "app_manifest.json: Gpio: '$MT3620_SPI_CS_A' is a int, which no manifest has"),
        ] {
            let manifest = try testbed.write(
                try String(contentsOfFile: "\(boards)/own_board.manifest.json", encoding: .utf8).replacing("OWN_LED", with: name), "m.json")
            let refused = try await testbed.orrery([
                "image", "pack", "--manifest", manifest, "--program", "\(Testbed.root)/.build/guest/tests/client.elf",
                "--hardware-definition", "own_board.json", "--definitions", boards, "-o", "x.imagepackage",
            ])
            #expect(refused.code == 64 && refused.errors == words + "\n", "\(refused)")
        }
        let toolchain = try await testbed.orrery(["sdk", "toolchain"]).output.split(separator: "\n")[0]
        _ = try testbed.write("cmake_minimum_required(VERSION 3.20)\nproject(x C)\n", "CMakeLists.txt")
        for (set, isThere) in [("latest-beta", true), ("5+Beta2004", true), ("99", false), ("next", false)] {
            let said = try await testbed.tool(
                "/bin/sh",
                [
                    "-c",
                    "rm -rf b; cmake -B b -G Ninja -DCMAKE_TOOLCHAIN_FILE='\(toolchain)' -DAZURE_SPHERE_TARGET_API_SET='\(set)' 2>&1 || true",
                ])
            #expect(said.contains("API set '\(set)': there are latest-lts") != isThere, "\(said)")
        }
    }
}
