public import ArgumentParser

/// One chip alone.
public enum EmulatorCommands {
    public static var all: [any ParsableCommand.Type] { [Chips.self, Emulate.self] }
}
