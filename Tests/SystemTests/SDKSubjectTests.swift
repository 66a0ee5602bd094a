import Foundation
import Runtime
import Testing

/// What the original's samples are about, beyond single calls, and the build files of firmware that is not the vendor's of the OS.
extension SDKTestsSerial {
    @Test func subjectsOfSamplesWork() async throws {
        let testbed = try Testbed()
        let port = Int.random(in: 20_000...59_000)
        let prepare = """
            cd '\(testbed.folder)'; cp -r '\(Testbed.root)/Sources/Guest/Tests/sdk/subjects' .
            openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out subjects/root.pem -subj /CN=www.example.com -days 2 -addext subjectAltName=DNS:www.example.com
            openssl s_server -accept 127.0.0.1:\(port) -cert subjects/root.pem -key key.pem -www -tls1_3 -quiet >log 2>&1 & echo $! >pid
            """
        _ = try await testbed.tool("/bin/sh", ["-ec", prepare])
        let said = try await build(testbed, "subjects")
        #expect(!said.contains("warning: ") || said.contains("MallocVersion"), "\(said)")
        func run(_ program: String, _ options: String...) async throws -> Testbed.Ended {
            try await testbed.orrery(["emulate", "subjects/out/ARM-Debug/\(program).imagepackage", "--for", "60s"] + options)
        }

        let pages = try #require(PageServer())
        let transfers = try await run("transfers", "--exit", "www.example.com:80=127.0.0.1:\(pages.port)")
        pages.stop()
        #expect(transfers.output == "ready: 1\n/one for www.example.com\n/two for www.example.com\n", "\(transfers)")
        let secure = try await run("secure", "--exit", "www.example.com:443=127.0.0.1:\(port)")
        #expect(secure.code == 0 && secure.output == "TLSv1.3\nHTTP/1.0 200 ok\nends with 0\n", "\(secure)")
        _ = try await testbed.tool("/bin/sh", ["-c", "kill $(cat '\(testbed.folder)/pid')"])

        let errand = try await run("errand")
        #expect(errand.output == "errand 1, 4 bytes\nregistered: 1\nnothing to defer: -1 Invalid argument\nsleep: 0\n", "\(errand)")
        #expect(errand.code == 0 && errand.errors.hasSuffix("the app powers the device down for 10 s\n"), "\(errand)")

        // The answer comes in two parts, behind what is no message; the second request gets none.
        let script = try testbed.write(
            """
            expect 22 b5 58 b9 0a 00 01 00 01 00 01 00 01 00 00 00 within 100ms
            send "noise" 22 b5 58 b9 06 00 03 00 02 00 07 00
            send 22 b5 58 b9 0c 00 02 00 01 00
            wait 20ms
            send 01 00 01 00 04 00 "hi"
            expect 22 b5 58 b9 0a 00 01 00 01 00 02 00 02 00 00 00 within 100ms

            """, "peer.txt")
        let protocols = try await run("protocol", "--uart", "isu0=script:\(script)")
        #expect(protocols.output == "event 2.7\nanswer 4: hi\nno answer\n" && protocols.code == 0, "\(protocols)")
    }

    /// A program of this machine reaches a server on the device, which has an Ethernet adapter only if it is told so.
    @Test func devicesServePrivateNetworks() async throws {
        let testbed = try Testbed()
        let sources = "\(Testbed.root)/Sources/Guest/Tests/sdk/subjects"
        _ = try await testbed.tool("/bin/sh", ["-c", "cp -r '\(sources)' . && touch subjects/root.pem"])
        _ = try await build(testbed, "subjects")
        let package = "subjects/out/ARM-Debug/service.imagepackage"
        let port = UInt16.random(in: 20_000...59_000)
        let arguments = ["emulate", package, "--ethernet", "--port", "11000=127.0.0.1:\(port)", "--for", "60s"]
        let served = try await testbed.orrery(arguments) { _ in
            for _ in 0..<600 {
                try await Task.sleep(for: .milliseconds(50))
                guard let client = LoopbackConnection(port: port) else { continue }
                client.write(Array("one\n".utf8))
                #expect(client.read(milliseconds: 10_000) == Array("one\n".utf8))
                return
            }
        }
        #expect(
            served.output == """
                wlan0: medium 1, on 1
                eth0: medium 2, on 0
                on: 0
                cable: 3
                addresses before its own: -1 Operation not permitted
                own: 0, 7
                eth0 has 192.168.100.10
                time: 0
                addresses: 0
                listening
                heard one
                closed

                """ && served.code == 0, "\(served)")
        let without = try await testbed.orrery(["emulate", package, "--for", "1s"])
        #expect(without.output.hasPrefix("wlan0: medium 1, on 1\non: -1\ncable: 99\n"), "\(without)")
    }

    /// The silicon vendor's way with a toolchain file of the project's own, and with the one that it asks to be copied into the SDK; the
    /// MIT drivers'; and that of projects with ThreadX.
    @Test func firmwareBuildsByOthersBuildFiles() async throws {
        let testbed = try Testbed()
        _ = try await testbed.tool("/bin/sh", ["-c", "cp -r '\(Testbed.root)/Sources/Guest/Tests/sdk/firmware' '\(testbed.folder)'"])
        let floats = "sum 7485, product 2717\r\n"
        // Flags that a project adds to those that it has.
        let flags = try testbed.write(
            """
            foreach(flags C_FLAGS CXX_FLAGS ASM_FLAGS_INIT)
                set(CMAKE_${flags} "${CMAKE_${flags}} -mfpu=fpv4-sp-d16 -mfloat-abi=hard")
            endforeach()

            """, "flags.cmake")
        for (project, out, toolchain, more, expected) in [
            (
                "tasks/Own_Tasks_C++", "own", "HardFloat.cmake",
                "-DAZURE_SPHERE_DEFAULT_CMAKE_PATH=$files/AzureSphereRTCoreToolchain.cmake -DAZURE_SPHERE_TARGET_API_SET=5", floats
            ),
            (
                "tasks/Own_Tasks_C++", "vfp", "$files/AzureSphereRTCoreToolchainVFP.cmake",
                "-DAZURE_SPHERE_TARGET_API_SET=3+Beta1909", floats
            ),
            (
                "tasks/Own_Tasks_C++", "flags", "$files/AzureSphereRTCoreToolchain.cmake",
                "-DCMAKE_PROJECT_INCLUDE='\(flags)' -DAZURE_SPHERE_TARGET_API_SET=5", floats
            ),
            ("bare/Own_BareMetal", "out", "$files/AzureSphereRTCoreToolchain.cmake", "", "no OS\r\n"),
            ("threads/own_threads", "out", "$files/AzureSphereRTCoreToolchain.cmake", "-DAZURE_SPHERE_TARGET_API_SET=6", "ball 9\r\n"),
        ] {
            let (folder, target) = (project.split(separator: "/")[0], project.split(separator: "/")[1])
            let script = """
                cd '\(testbed.folder)/firmware/\(folder)'; environment=$('\(Testbed.orreryPath)' sdk environment); eval "$environment"
                files=$AzureSphereDefaultSDKDir/CMakeFiles
                cmake -G Ninja -B \(out) -DCMAKE_TOOLCHAIN_FILE=\(toolchain) -DARM_GNU_PATH=$ArmGnuPath -DCMAKE_BUILD_TYPE=Debug \(more) . && cmake --build \(out)
                """
            _ = try await testbed.tool("/bin/sh", ["-c", "{ \(script)\n} 2>&1"])
            let run = try await testbed.orrery(["emulate", "firmware/\(folder)/\(out)/\(target).imagepackage", "--for", "2s"])
            #expect(run.output == expected, "\(project), \(out): \(run)")
        }
    }

    /// Boards that are named from outside of the project, as until 2020: by variables, and by the environment.
    @Test func boardsAreNamedFromOutside() async throws {
        let testbed = try Testbed()
        _ = try testbed.write(
            """
            cmake_minimum_required(VERSION 3.8)
            project(lamp C)
            add_executable(${PROJECT_NAME} board.c)
            target_link_libraries(${PROJECT_NAME} applibs pthread gcc_s c)
            target_compile_definitions(lamp PRIVATE "BOARD_HEADER=<hw/own_board.h>" BOARD_own_board)
            include("${AZURE_SPHERE_MAKE_IMAGE_FILE}")

            """, "CMakeLists.txt")
        let script = """
            cd '\(testbed.folder)'; files='\(Testbed.root)/Sources/Guest/Tests/sdk/highlevel'
            cp "$files/board.c" . && cp -r "$files/boards" . && cp boards/own_board.manifest.json app_manifest.json
            environment=$('\(Testbed.orreryPath)' sdk environment); eval "$environment"
            make() { cmake -G Ninja -B "$@" -DCMAKE_TOOLCHAIN_FILE=$AzureSphereDefaultSDKDir/CMakeFiles/AzureSphereToolchain.cmake . && cmake --build $1; }
            make one -DAZURE_SPHERE_TARGET_HARDWARE_DEFINITION_DIRECTORY=boards -DAZURE_SPHERE_TARGET_HARDWARE_DEFINITION=own_board.json
            AzureSphereTargetHardwareDefinitionDirectory=$PWD/boards AzureSphereTargetHardwareDefinition=own_board.json make two
            make three -DAZURE_SPHERE_TARGET_HARDWARE_DEFINITION_DIRECTORY=boards -DAZURE_SPHERE_TARGET_HARDWARE_DEFINITION=nobody.json
            """
        let said = try await testbed.tool("/bin/sh", ["-c", "{ \(script)\n} 2>&1 || true"])
        #expect(said.contains("AZURE_SPHERE_TARGET_HARDWARE_DEFINITION: there is no 'nobody.json' in"), "\(said)")
        for out in ["one", "two"] {
            let run = try await testbed.orrery(["emulate", "\(out)/lamp.imagepackage", "--attach", "led@gpio9:low"])
            #expect(run.output.contains("lamp on pin 9\n"), "\(run) \(said)")
        }
    }
}
