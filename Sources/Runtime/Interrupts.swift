import Glibc

/// SIGINT and SIGTERM, handed to a thread of their own.
public enum Interrupts {
    // Written once before the handler is set. A handler may do little more than write to a file descriptor.
    nonisolated(unsafe) private static var wakeUp: Int32 = -1

    public static func watch(_ handler: @escaping @Sendable () -> Void) {
        signal(SIGPIPE, SIG_IGN)
        guard let (listening, speaking) = Lifeline.make() else { return }
        unsafe wakeUp = speaking
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                var byte: UInt8 = 1
                unsafe _ = write(Interrupts.wakeUp, &byte, 1)
            }
        }
        OSThread.start {
            var byte: UInt8 = 0
            while unsafe read(listening, &byte, 1) != 0 { handler() }
        }
    }
}
