public import ArgumentParser

/// A running device, by cable.
public enum DeviceCommands {
    public static var all: [any ParsableCommand.Type] { [DeviceCommand.self] }
}
