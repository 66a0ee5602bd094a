import Formats

/// What the security monitor does for the OS, and nobody else can: it is the only way to flash (mt3620-silicon §6).
public enum MonitorCall: Equatable, Sendable {
    /// Into the part of flash where images are staged; with `isChecked` false, anywhere.
    case write(offset: UInt32, [UInt8], isChecked: Bool)
    /// What was staged at an offset counts as the image of a type; with `isChecked` false, whatever it is.
    case commit(type: UInt16, offset: UInt32, length: UInt32, isChecked: Bool)
    /// From which version on images of a type are committed: a word each, and a signature of the OS's vendor; with `isChecked`
    /// false, whoever has signed.
    case stageManifest(type: UInt16, leastVersion: UInt32, signature: [UInt8], isChecked: Bool)
}

/// What a program may ask of it: bits of its caller's capabilities.
enum MonitorRight {
    static let updateImage: UInt32 = 1

    /// System services have what they need; users of apps have nothing.
    static func of(user: UInt32) -> UInt32 { user == SystemUser.updater ? updateImage : 0 }
}

/// /dev/security-monitor: fail-closed, whoever opens it.
final class MonitorFile: OpenFile {
    private unowned let kernel: Kernel
    init(_ kernel: Kernel) {
        self.kernel = kernel
        super.init(flags: OpenFile.readWrite)
    }
    override var mode: UInt32 { 0o020660 }

    /// Offset, place and length of what is to be written.
    private static let write: UInt32 = 0xC00C_7301
    /// Type, offset and length.
    private static let commit: UInt32 = 0xC00C_7302
    /// Type, version, and place of 64 bytes of signature.
    private static let manifest: UInt32 = 0xC00C_7303
    private static let longest: UInt32 = 64 << 10

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        guard process.monitorRights & MonitorRight.updateImage != 0 else { throw .EPERM }
        let fields = try process.memory.fields(argument, 12)
        let words = (fields.u32(0) ?? 0, fields.u32(4) ?? 0, fields.u32(8) ?? 0)
        let weaknesses = process.policy.weaknesses
        guard let services = kernel.services else { throw .ENODEV }
        switch request {
        case MonitorFile.write:
            guard words.2 <= MonitorFile.longest else { throw .EMSGSIZE }
            let bytes = try process.memory.bytes(words.1, Int(words.2))
            try services.monitor(.write(offset: words.0, bytes, isChecked: !weaknesses.contains(.uncheckedOffset)))
        case MonitorFile.commit:
            guard words.0 <= 0xFFFF else { throw .EINVAL }
            try services.monitor(
                .commit(
                    type: UInt16(words.0), offset: words.1, length: words.2, isChecked: !weaknesses.contains(.uncheckedCommit)))
        case MonitorFile.manifest:
            guard words.0 <= 0xFFFF else { throw .EINVAL }
            try services.monitor(
                .stageManifest(
                    type: UInt16(words.0), leastVersion: words.1, signature: try process.memory.bytes(words.2, 64),
                    isChecked: !weaknesses.contains(.unsignedManifest)))
        default: throw .ENOTTY
        }
        return 0
    }
}
