import CommandSupport
import Foundation
import Lab
import RunFiles
import Runtime
import Silicon

/// A computer at the debug UART of a running device, from the first 'C' to the device's last word.
struct RecoveryCable {
    var port: UInt16

    /// - Parameter paths: What is sent; without any what the factory would send.
    func recover(_ name: String, _ paths: [String], _ folder: RunFolder) throws {
        let files = try paths.isEmpty ? Bench.recoveryFiles(ofConfigurationAt: folder.configuration(of: name)) : paths
        var host = try RecoveryHost(paths: files)
        guard let cable = LoopbackConnection(port: port) else { Console.fail("\(name) does not answer: it runs no more?", 1) }
        var shown = -1
        while host.outcome == nil, let bytes = cable.read(milliseconds: -1) {
            cable.write(host.receive(bytes))
            if host.index != shown, host.index < files.count {
                shown = host.index
                Console.note("\(shown + 1)/\(files.count) \(files[shown].split(separator: "/").last ?? "")")
            }
        }
        switch host.outcome {
        case .complete: print("recovery complete")
        case .failed(let reason): Console.fail(reason, 1)
        case nil: Console.fail("\(name) has let go of the cable", 1)
        }
    }
}
