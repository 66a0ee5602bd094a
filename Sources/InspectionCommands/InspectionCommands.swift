public import ArgumentParser

/// What something proves of itself, and what it consists of.
public enum InspectionCommands {
    public static var all: [any ParsableCommand.Type] { [EvidenceCommand.self, SBOMCommand.self] }
}
