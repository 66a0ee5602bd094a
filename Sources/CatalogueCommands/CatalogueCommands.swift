public import ArgumentParser

/// What a campaign can ask for.
public enum CatalogueCommands {
    public static var all: [any ParsableCommand.Type] { [AttacksCommand.self, Faults.self, Controls.self, Kinds.self] }
}
