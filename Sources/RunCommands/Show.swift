import ArgumentParser
import CommandSupport
import Planning

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the resolved plan of a file as JSON.")

    @Argument(help: "The file.") var file: String

    func run() throws { try Console.printJSON(try Plan.load(file)) }
}
