public import ArgumentParser

/// Building apps.
public enum AppCommands {
    public static var all: [any ParsableCommand.Type] { [ImageCommand.self, SDKCommand.self, New.self] }
}
