public import ArgumentParser

/// Repositories of updates.
public enum RepositoryCommands {
    public static var all: [any ParsableCommand.Type] { [Tuf.self] }
}
