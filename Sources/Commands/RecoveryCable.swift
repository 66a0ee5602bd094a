import Configuration
import Foundation
import Lab
import RunFiles
import Runtime
import Silicon
import Wire

/// A computer at the debug UART of a running device, from the first 'C' to the device's last word.
struct RecoveryCable {
    var port: UInt16

    /// - Parameter paths: What is sent; without any what the factory would send.
    func recover(_ name: String, _ paths: [String], _ folder: RunFolder) throws {
        let data = FileManager.default.contents(atPath: folder.configuration(of: name)) ?? Data()
        let files = try paths.isEmpty ? Bench.recoveryFiles(of: JSONDecoder().decode(DeviceConfiguration.self, from: data)) : paths
        var host = try RecoveryHost(paths: files)
        guard let cable = LoopbackConnection(port: port) else { Orrery.fail("\(name) does not answer: it runs no more?", 1) }
        var shown = -1
        while host.outcome == nil, let bytes = cable.read(milliseconds: -1) {
            cable.write(host.receive(bytes))
            if host.index != shown, host.index < files.count {
                shown = host.index
                Terminal.note("\(shown + 1)/\(files.count) \(files[shown].split(separator: "/").last ?? "")")
            }
        }
        switch host.outcome {
        case .complete: print("recovery complete")
        case .failed(let reason): Orrery.fail(reason, 1)
        case nil: Orrery.fail("\(name) has let go of the cable", 1)
        }
    }
}
