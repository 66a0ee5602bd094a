import Glibc

/// The outer end of a UART: a pseudo-terminal that a terminal program opens, or a connection to a TCP server on 127.0.0.1.
/// Nothing here waits: what the other side does not take yet is kept, and lost beyond a limit.
public final class SerialCable {
    let descriptor: Int32
    /// Held open, so that the terminal stays while nobody has it open.
    private var terminal: Int32 = -1
    /// How somebody finds it: the terminal's path, or the server's address.
    public let name: String
    public private(set) var isOpen = true
    /// The other side has said that it says no more; it may still listen (RFC 9293 section 3.6).
    public private(set) var hasEnded = false
    /// Bytes that nobody took.
    public private(set) var lost = 0
    private var pending: [UInt8] = []
    /// There is what the other side has not taken yet.
    var hasPending: Bool { !pending.isEmpty }
    private static let mostPending = 1 << 20

    /// To a server that listens; nil if there is none.
    public init?(port: UInt16) {
        guard let descriptor = LoopbackSocket.connect(port: port) else { return nil }
        LoopbackSocket.wait(descriptor, POLLOUT, 5_000)
        var (error, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        guard error == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        name = "127.0.0.1:\(port)"
    }

    /// A pseudo-terminal; nil if the system has none.
    public init?() {
        let descriptor = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        // TIOCSPTLCK and TIOCGPTN (asm-generic/ioctls.h): unlocked, and which number it has.
        var (isLocked, number) = (Int32(0), UInt32(0))
        guard unsafe ioctl(descriptor, 0x4004_5431, &isLocked) == 0, unsafe ioctl(descriptor, 0x8004_5430, &number) == 0 else {
            close(descriptor)
            return nil
        }
        name = "/dev/pts/\(number)"
        terminal = unsafe open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        // Raw: no echo, no lines.
        var settings = termios()
        if unsafe tcgetattr(terminal, &settings) == 0 {
            unsafe cfmakeraw(&settings)
            unsafe _ = tcsetattr(terminal, TCSANOW, &settings)
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
        if terminal >= 0 { close(terminal) }
    }

    /// What has come; there may be no more after that (``hasEnded``).
    public func read() -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while isOpen, !hasEnded, all.count < SerialCable.mostPending {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            if count > 0 {
                all += buffer.prefix(count)
            } else if count < 0 && (errno == EAGAIN || errno == EINTR) {
                break
            } else {
                hasEnded = true
                isOpen = count == 0
            }
        }
        return all
    }

    public func write(_ bytes: [UInt8]) {
        guard isOpen else {
            lost += bytes.count
            return
        }
        pending += bytes
        flush()
        if pending.count > SerialCable.mostPending {
            lost += pending.count - SerialCable.mostPending
            pending.removeLast(pending.count - SerialCable.mostPending)
        }
    }

    /// Gives the other side what it takes now.
    public func flush() {
        while isOpen, !pending.isEmpty {
            let count =
                terminal < 0
                ? unsafe send(descriptor, pending, pending.count, Int32(MSG_NOSIGNAL))
                : unsafe Glibc.write(descriptor, pending, pending.count)
            if count > 0 {
                pending.removeFirst(count)
            } else if count < 0 && (errno == EAGAIN || errno == EINTR) {
                return
            } else {
                isOpen = false
            }
        }
    }

    /// Until something comes, or a time is over.
    public static func wait(for cables: [SerialCable], milliseconds: Int32) {
        var list = cables.filter { !$0.hasEnded }.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        unsafe _ = poll(&list, nfds_t(list.count), milliseconds)
    }
}
