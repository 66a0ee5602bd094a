import ArgumentParser
import Planning
import RunFiles
import Wire

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the resolved plan of a file as JSON.")

    @Argument(help: "The file.") var file: String

    func run() throws { print(try JSON.pretty(try Plan.load(file)), terminator: "") }
}
