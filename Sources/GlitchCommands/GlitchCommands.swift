public import ArgumentParser

/// Faults in boot code.
public enum GlitchCommands {
    public static var all: [any ParsableCommand.Type] { [GlitchCommand.self] }
}
