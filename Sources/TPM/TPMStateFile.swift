import Glibc
import SecureChannel

/// Why a TPM does not come up. The device then has none, and stays in recovery.
public enum TPMStateRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nothing was manufactured here.
    case notThere
    /// Something was: a TPM is manufactured once.
    case alreadyThere
    /// The file is cut off, or some of it is another's.
    case torn
    /// Whole, but made for another device: the chip was taken from one board to another.
    case fromAnotherDevice
    /// Whole and this device's, but of a form that is not known here.
    case unknownVersion(UInt8)
    /// Whole and this device's, but libtpms does not come up with it.
    case unusable(UInt32)
    case file(operation: String, errno: Int32)

    public var description: String {
        switch self {
        case .notThere: "there is no TPM state"
        case .alreadyThere: "there is TPM state already"
        case .torn: "the TPM state is torn"
        case .fromAnotherDevice: "the TPM state is from another device"
        case .unknownVersion(let version): "the TPM state has version \(version), which is not known here"
        case .unusable(let code): "libtpms does not take the TPM state (\(code))"
        case .file(let operation, let number): "\(operation) the TPM state: \(unsafe String(cString: strerror(number)))"
        }
    }
}

/// The non-volatile memory of a TPM.
public protocol TPMStateStore: AnyObject {
    /// The state that was stored last; nil if none ever was.
    func load() throws(TPMStateRefusal) -> [UInt8]?
    /// What returned is there after SIGKILL.
    func store(_ state: [UInt8]) throws(TPMStateRefusal)
}

/// Non-volatile memory as a file. A new state is written beside the old one and then takes its name, so that a power cut
/// at any byte leaves the old state or the new one; whatever else happens to the file is seen by its digest.
///
/// Layout: `OrreryTPM`, version 1, SHA-256 of the device's identity, length (8 bytes, little-endian), the state, SHA-256 of
/// all that.
@safe public final class TPMStateFile: TPMStateStore {
    public let path: String
    private let device: [UInt8]
    /// For tests: after how many bytes of a write the power goes.
    var cutAfter: Int?

    /// - Parameter device: Anything that tells this device from all others.
    public init(path: String, device: [UInt8]) {
        self.path = path
        self.device = sha256(device)
    }

    // MARK: Form

    private static let magic = Array("OrreryTPM".utf8)
    private static let version: UInt8 = 1
    private static let headCount = magic.count + 1 + 32 + 8
    /// libtpms has 128 KiB of non-volatile memory in all builds so far, and writes what is used of it.
    private static let longest = 1 << 20

    func encode(_ state: [UInt8]) -> [UInt8] {
        let length = (0..<8).map { UInt8(truncatingIfNeeded: UInt64(state.count) >> (8 * UInt64($0))) }
        let whole = TPMStateFile.magic + [TPMStateFile.version] + device + length + state
        return whole + sha256(whole)
    }

    func decode(_ bytes: [UInt8]) throws(TPMStateRefusal) -> [UInt8] {
        let magic = TPMStateFile.magic
        guard bytes.count >= TPMStateFile.headCount + 32, bytes.starts(with: magic),
            sha256(Array(bytes.dropLast(32))) == Array(bytes.suffix(32))
        else { throw .torn }
        guard bytes[magic.count] == TPMStateFile.version else { throw .unknownVersion(bytes[magic.count]) }
        guard Array(bytes[(magic.count + 1)...].prefix(32)) == device else { throw .fromAnotherDevice }
        let length = bytes[(magic.count + 33)...].prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length == UInt64(bytes.count - TPMStateFile.headCount - 32) else { throw .torn }
        return Array(bytes[TPMStateFile.headCount...].dropLast(32))
    }

    // MARK: File

    public func load() throws(TPMStateRefusal) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw .file(operation: "open", errno: errno)
        }
        defer { close(descriptor) }
        let count = Int(lseek(descriptor, 0, SEEK_END))
        guard count >= 0, count <= TPMStateFile.longest else { throw .torn }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress! + done, count - done, off_t(done))
            }
            if got < 0, errno == EINTR { continue }
            if got < 0 { throw .file(operation: "read", errno: errno) }
            guard got > 0 else { throw .torn }
            done += got
        }
        return try decode(bytes)
    }

    public func store(_ state: [UInt8]) throws(TPMStateRefusal) {
        let new = path + ".new"
        let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(operation: "open", errno: errno) }
        defer { close(descriptor) }
        var bytes = encode(state)
        if let cutAfter { bytes = Array(bytes.prefix(cutAfter)) }
        var done = 0
        while done < bytes.count {
            let put = unsafe bytes.withUnsafeBytes { buffer in
                unsafe write(descriptor, buffer.baseAddress! + done, bytes.count - done)
            }
            if put < 0, errno == EINTR { continue }
            guard put > 0 else { throw .file(operation: "write", errno: errno) }
            done += put
        }
        if cutAfter != nil { throw .file(operation: "write", errno: EIO) }
        // No fsync: what must survive is the process, not the machine.
        guard unsafe rename(new, path) == 0 else { throw .file(operation: "rename", errno: errno) }
    }
}
