import ArgumentParser
import CommandSupport
import Foundation
import FoundationNetworking
import RunFiles
import SecureChannel
import Silicon

/// What one asks of a device by cable, while `orrery up` keeps it running.
struct DeviceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Ask a running device over its service port.",
        discussion: """
            For devices of `orrery up`, whose run folder is shown there. The device's REST interface is at the address that \
            `orrery device RUN/NAME url` prints, for curl too.

              status · osversion · log · restart · memory · network · wifi · images
              app                 all apps with their states
              app stop NAME       by name or component ID
              app start NAME
              enable-development  give it the capability for it, signed in the service's name
              sideload FILE       run an app's image package, until the device restarts
              recover [FILE …]    strap its debug UART, reset it, and send it what the factory would, or these files, by XMODEM; \
            other senders such as sx reach it on the port that state/NAME/recovery-port names
            """)

    @Argument(help: "The run folder and the device: runs/kitchen/20260101T000000-s1/fridge-1.") var device: String
    @Argument(help: "What to ask.") var words: [String] = ["status"]

    private struct Call {
        var method = "GET"
        var path: String
        var body: [UInt8]?
    }

    private func call() throws -> Call {
        switch words {
        case ["status"]: Call(path: "/status")
        case ["osversion"]: Call(path: "/osversion")
        case ["log"]: Call(path: "/log")
        case ["memory"]: Call(path: "/stats/memory")
        case ["network"]: Call(path: "/net/status")
        case ["wifi"]: Call(path: "/wifi/interface")
        case ["images"], ["image", "list"]: Call(path: "/images")
        case ["restart"]: Call(method: "POST", path: "/restart")
        case ["app"], ["app", "status"]: Call(path: "/app/status")
        case let words where words.count == 3 && words[0] == "app" && ["start", "stop"].contains(words[1]):
            Call(
                method: "PUT", path: "/app/status/\(words[2])",
                body: Array(#"{"state": "\#(words[1] == "start" ? "starting" : "stopping")"}"#.utf8))
        default: throw ValidationError("cannot ask '\(words.joined(separator: " "))'; see orrery device --help")
        }
    }

    func run() async throws {
        let parts = device.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1, let name = parts.last, !name.isEmpty else { throw ValidationError("'\(device)' is no RUN/NAME") }
        let folder = parts.dropLast().joined(separator: "/")
        func port(_ kind: String) -> UInt16 {
            let place = "\(folder)/state/\(name)/\(kind)-port"
            guard let text = FileManager.default.contents(atPath: place).map({ String(decoding: $0, as: UTF8.self) }),
                let port = text.split(separator: "\n").last.flatMap({ UInt16($0) })
            else { Console.fail("\(name) has no \(kind) port: it is there while `orrery up` runs (looked for \(place))", 64) }
            return port
        }
        if words.first == "recover" {
            return try RecoveryCable(port: port("recovery")).recover(
                name, Array(words.dropFirst()), RunFolder(existing: folder))
        }
        let port = port("service")
        let address = "http://127.0.0.1:\(port)"
        switch words.first {
        case "url" where words.count == 1: print(address)
        case "enable-development" where words.count == 1: print(try await enableDevelopment(address, folder))
        case "sideload" where words.count == 2:
            guard let image = FileManager.default.contents(atPath: words[1]) else { Console.fail("cannot read \(words[1])", 64) }
            _ = try await ask(address, Call(method: "PUT", path: "/update/stage", body: Array(image)))
            print(try await ask(address, Call(method: "POST", path: "/update/install")))
        default: print(try await ask(address, try call()))
        }
    }

    /// The service signs a capability for this device, as an operator of the fleet would have it do.
    private func enableDevelopment(_ address: String, _ folder: String) async throws -> String {
        struct Security: Decodable { var deviceIdentifier: String }
        let state = try await ask(address, Call(path: "/device/security_state"))
        guard let scalar = FileManager.default.contents(atPath: "\(folder)/state/authority/verifier.key"),
            let key = try? P256PrivateKey(scalar: Array(scalar)),
            let id = (try? JSONDecoder().decode(Security.self, from: Data(state.utf8)))?.deviceIdentifier,
            let device = [UInt8](hex: id).flatMap({ try? P256PublicKey($0) })
        else { Console.fail("\(folder) has no key of the service's", 64) }
        let file = CapabilityFile(device: device, capabilities: [CapabilityFile.Capability.applicationDevelopment.rawValue])
        let bytes = file.signedPart + key.sign(digest: sha256(file.signedPart))
        return try await ask(address, Call(method: "PUT", path: "/update/stage", body: bytes))
    }

    private func ask(_ address: String, _ call: Call) async throws -> String {
        guard let url = URL(string: address + call.path) else { throw ValidationError("'\(call.path)' is no path") }
        var request = URLRequest(url: url, timeoutInterval: 10)
        request.httpMethod = call.method
        request.httpBody = call.body.map { Data($0) }
        do {
            let (data, response) = try await URLSession.shared.data(for: request)
            let answer = String(decoding: data, as: UTF8.self)
            guard (response as? HTTPURLResponse)?.statusCode == 200 else { Console.fail(answer, 1) }
            return answer.hasSuffix("\n") ? String(answer.dropLast()) : answer
        } catch {
            Console.fail("the device does not answer on \(address): it runs no more?", 1)
        }
    }
}
