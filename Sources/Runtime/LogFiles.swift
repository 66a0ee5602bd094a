import Glibc

/// Lines appended to a file, such as a TLS key log.
@safe public final class LineFile {
    private let descriptor: Int32
    public init?(path: String) {
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        if descriptor < 0 { return nil }
    }
    deinit { close(descriptor) }
    /// False if the disk did not take it, which is then for the caller to say.
    @discardableResult public func append(_ line: String) -> Bool { writeAll(Array((line + "\n").utf8), to: descriptor) }
}

/// A line in a file of its own, for whoever waits for it: the file is whole as soon as it is there.
public func leaveNote(_ line: String, at path: String) {
    let draft = path + ".part"
    unsafe unlink(draft)
    guard LineFile(path: draft)?.append(line) == true else { return }
    unsafe _ = rename(draft, path)
}

/// Opens a file that a child's log is appended to; nil if that cannot be.
public func openLog(path: String) -> Int32? {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    return descriptor < 0 ? nil : descriptor
}

/// Bytes appended to a file as they come.
@safe public final class ByteFile {
    private let descriptor: Int32
    public init?(path: String) {
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if descriptor < 0 { return nil }
    }
    deinit { close(descriptor) }
    /// False if the disk did not take all of it.
    public func append(_ bytes: [UInt8]) -> Bool { writeAll(bytes, to: descriptor) }
}

/// A file without a name, for what does not fit into memory: it is gone with this process.
@safe public final class ScratchFile: Sendable {
    private let descriptor: Int32
    /// Nil where there is no folder for it.
    public init?() {
        let path = "/var/tmp/orrery-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0 { return nil }
        unsafe unlink(path)
    }
    deinit { close(descriptor) }

    /// False if the disk did not take all of it.
    public func append(_ bytes: [UInt8]) -> Bool { writeAll(bytes, to: descriptor) }

    /// As many bytes as are there.
    public func read(_ offset: Int, _ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            done = 0
            while done < count {
                let got = unsafe pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset + done))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return }
                done += got
            }
        }
    }
}

/// A write may take less than it is given, and be interrupted.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
        let put = unsafe bytes.withUnsafeBytes { buffer in
            unsafe write(descriptor, buffer.baseAddress! + done, bytes.count - done)
        }
        if put < 0, errno == EINTR { continue }
        guard put > 0 else { return false }
        done += put
    }
    return true
}
