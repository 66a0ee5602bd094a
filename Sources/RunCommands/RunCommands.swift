public import ArgumentParser

/// Running a file, and running it again.
public enum RunCommands {
    public static var all: [any ParsableCommand.Type] { [Validate.self, Show.self, Run.self, Up.self, Replay.self] }
}
