import ArgumentParser
import Foundation
import FoundationNetworking

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
            """)

    @Argument(help: "The run folder and the device: runs/kitchen/20260101T000000-s1/fridge-1.") var device: String
    @Argument(help: "What to ask.") var words: [String] = ["status"]

    private struct Call {
        var method = "GET"
        var path: String
        var body: String?
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
                body: #"{"state": "\#(words[1] == "start" ? "starting" : "stopping")"}"#)
        default: throw ValidationError("cannot ask '\(words.joined(separator: " "))'; see orrery device --help")
        }
    }

    func run() async throws {
        let parts = device.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1, let name = parts.last, !name.isEmpty else { throw ValidationError("'\(device)' is no RUN/NAME") }
        let folder = parts.dropLast().joined(separator: "/")
        let place = "\(folder)/state/\(name)/service-port"
        guard let text = FileManager.default.contents(atPath: place).map({ String(decoding: $0, as: UTF8.self) }),
            let port = text.split(separator: "\n").last.flatMap({ UInt16($0) })
        else { Orrery.fail("\(name) has no service port: it is there while `orrery up` runs (looked for \(place))", 64) }
        let address = "http://127.0.0.1:\(port)"
        if words == ["url"] { return print(address) }
        let call = try call()
        guard let url = URL(string: address + call.path) else { throw ValidationError("'\(call.path)' is no path") }
        var request = URLRequest(url: url, timeoutInterval: 10)
        request.httpMethod = call.method
        request.httpBody = call.body.map { Data($0.utf8) }
        do {
            let (data, response) = try await URLSession.shared.data(for: request)
            let answer = String(decoding: data, as: UTF8.self)
            guard (response as? HTTPURLResponse)?.statusCode == 200 else { Orrery.fail(answer, 1) }
            print(answer, terminator: answer.hasSuffix("\n") ? "" : "\n")
        } catch {
            Orrery.fail("\(name) does not answer on \(address): it runs no more?", 1)
        }
    }
}
