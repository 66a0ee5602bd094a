import Glibc

public enum SiliconError: Error, Equatable, Sendable, CustomStringConvertible {
    case file(path: String, operation: String, errno: Int32)
    case wrongSize(path: String, bytes: Int, expected: Int)
    case badHeader(path: String)
    case outOfRange(offset: Int, count: Int)
    case engine(String)
    case blankFuses
    /// Power went in the middle of a flash operation.
    case powerLost

    public var description: String {
        switch self {
        case .file(let path, let operation, let number): "\(operation) \(path): \(unsafe String(cString: strerror(number)))"
        case .wrongSize(let path, let bytes, let expected): "\(path) has \(bytes) bytes, not \(expected)"
        case .badHeader(let path): "\(path) begins with something else than its kind does"
        case .outOfRange(let offset, let count): "\(count) bytes at \(offset) are outside of the chip"
        case .engine(let reason): reason
        case .blankFuses: "the fuses are blank"
        case .powerLost: "the power went"
        }
    }
}

/// A file that holds a piece of hardware. Written in place, so that what was written is there after SIGKILL.
@safe final class BackingFile {
    let path: String
    let descriptor: Int32

    /// Opens, or makes with `size` zero bytes. `isNew` tells which.
    init(path: String, size: Int, isNew: inout Bool) throws(SiliconError) {
        self.path = path
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(path: path, operation: "open", errno: errno) }
        let present = Int(lseek(descriptor, 0, SEEK_END))
        isNew = present == 0
        if isNew {
            guard ftruncate(descriptor, size) == 0 else {
                throw .file(path: path, operation: "truncate", errno: errno)
            }
        } else if present != size {
            throw .wrongSize(path: path, bytes: present, expected: size)
        }
    }

    /// For reading only; nil if it cannot be opened.
    private init?(reading path: String) {
        self.path = path
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return nil }
    }

    /// For reading, or for both; nil if it cannot be.
    static func present(path: String, writes: Bool) -> BackingFile? {
        guard writes else { return BackingFile(reading: path) }
        var isNew = false
        // With no size that it could have, it is opened as it is.
        guard let own = BackingFile(reading: path), own.count > 0 else { return nil }
        return try? BackingFile(path: path, size: own.count, isNew: &isNew)
    }

    var count: Int { Int(lseek(descriptor, 0, SEEK_END)) }

    /// Puts a file in place of what was there; the reason if it cannot be.
    static func replace(path: String, with bytes: [UInt8]) -> Int32? {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return errno }
        defer { Glibc.close(descriptor) }
        var done = 0
        while done < bytes.count {
            let put = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done) }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { return errno }
            done += put
        }
        return nil
    }

    static func readAll(path: String) -> [UInt8]? {
        BackingFile(reading: path).map { $0.read(0, Int(lseek($0.descriptor, 0, SEEK_END))) }
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    func read(_ offset: Int, _ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset + done))
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { break }
            done += got
        }
        return bytes
    }

    func write(_ offset: Int, _ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let put = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(descriptor, buffer.baseAddress! + done, bytes.count - done, off_t(offset + done))
            }
            if put < 0 && errno == EINTR { continue }
            // A full disk under emulated hardware cannot be told to the guest: stop rather than lie.
            precondition(put > 0, "cannot write \(path): errno \(errno)")
            done += put
        }
    }
}

/// A few bytes of the physical world around a device, such as the temperature of a room. They belong to no
/// chip, and stay when the power goes.
public final class WorldState {
    private let file: BackingFile
    private let count: Int
    /// True if nothing was kept here before.
    public let isNew: Bool

    public init(path: String, count: Int) throws(SiliconError) {
        var isNew = false
        file = try BackingFile(path: path, size: count, isNew: &isNew)
        self.count = count
        self.isNew = isNew
    }

    public func read(_ offset: Int, _ count: Int) -> [UInt8] { file.read(offset, count) }
    public func write(_ offset: Int, _ bytes: [UInt8]) { file.write(offset, bytes) }

    public var bytes: [UInt8] {
        get { file.read(0, count) }
        set { file.write(0, Array(newValue.prefix(count))) }
    }
}
