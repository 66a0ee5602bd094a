import ArgumentParser
import Foundation

extension SDKCommand {
    /// The variables that presets of the original's projects stand on (applibs-api §4.2).
    struct Environment: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the variables that projects' presets read, for a shell.",
            discussion: "eval \"$(orrery sdk environment)\" && cmake --preset ARM-Debug && cmake --build out/ARM-Debug")

        func run() throws {
            let toolchain = try SDKCommand.toolchain(isRealTime: false)
            let folder = toolchain.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
            print("export AzureSphereDefaultSDKDir='\(folder)'")
            let compilers = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/arm-none-eabi-gcc" }
            if let compiler = compilers.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) {
                print("export ArmGnuPath='\(compiler.dropLast("/arm-none-eabi-gcc".count))'")
            }
        }
    }
}
