import Foundation
public import Kernel

/// A folder of this machine's as the root of an emulated program's file system. It is only read; links in it are not followed here,
/// so that none leads out of it.
public final class HostFolder: RootFolder {
    private let base: String

    /// Nil if it is no folder.
    public init?(_ path: String) {
        let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard HostFolder.attributes(path)?[.type] as? FileAttributeType == .typeDirectory else { return nil }
        base = path
    }

    /// Where in the folder a file of this machine's is; nil if it is elsewhere.
    public func inside(_ path: String) -> String? {
        let path = URL(fileURLWithPath: path).standardizedFileURL.path
        return path.hasPrefix(base + "/") ? String(path.dropFirst(base.count)) : nil
    }

    public func entries(of path: String) -> [RootEntry]? {
        let names = try? FileManager.default.contentsOfDirectory(atPath: base + path)
        return names?.sorted().compactMap { entry($0, at: base + path + "/" + $0) }
    }

    public func content(of path: String) -> [UInt8]? {
        guard HostFolder.attributes(base + path)?[.type] as? FileAttributeType == .typeRegular else { return nil }
        return FileManager.default.contents(atPath: base + path).map { Array($0) }
    }

    /// Of the thing itself, even if it is a link.
    private static func attributes(_ path: String) -> [FileAttributeKey: Any]? {
        try? FileManager.default.attributesOfItem(atPath: path)
    }

    /// Devices, pipes and sockets of this machine's are not for emulated programs.
    private func entry(_ name: String, at path: String) -> RootEntry? {
        guard let attributes = HostFolder.attributes(path), let type = attributes[.type] as? FileAttributeType else { return nil }
        let kind: RootEntry.Kind
        switch type {
        case .typeDirectory: kind = .directory
        case .typeRegular: kind = .file(bytes: (attributes[.size] as? NSNumber)?.intValue ?? 0)
        case .typeSymbolicLink:
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { return nil }
            kind = .link(target: target)
        default: return nil
        }
        let changed = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return RootEntry(
            name: name, kind: kind, mode: UInt32((attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o644),
            changedAt: Int64(max(0, min(changed, 4e9)) * 1e9))
    }
}
