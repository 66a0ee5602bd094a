import Foundation
import PackagePlugin

/// Asks git at each build, since nothing that SwiftPM watches changes with a commit. The script writes its file only if the answer is
/// another one, so that nothing is built again in vain.
@main struct VersionPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = context.package.directoryURL
        let output = context.pluginWorkDirectoryURL
        return [
            .prebuildCommand(
                displayName: "Asking git for the version", executable: URL(fileURLWithPath: "/bin/sh"),
                arguments: [
                    folder.appendingPathComponent("scripts/version").path, folder.path,
                    output.appendingPathComponent("DescribedByGit.swift").path,
                    output.appendingPathComponent("ResolvedPackages.swift").path,
                ],
                outputFilesDirectory: output)
        ]
    }
}
