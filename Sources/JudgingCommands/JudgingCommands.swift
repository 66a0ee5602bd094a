public import ArgumentParser

/// What runs have shown.
public enum JudgingCommands {
    public static var all: [any ParsableCommand.Type] { [Ablate.self, Compare.self, ReportCommand.self] }
}
