import Formats

/// signalfd(2): signals that are held back are read, by whichever process reads.
final class SignalFile: OpenFile {
    var mask: SignalSet
    private unowned let kernel: Kernel

    init(_ kernel: Kernel, mask: SignalSet, flags: UInt32) {
        self.kernel = kernel
        self.mask = mask
        super.init(flags: flags & OpenFile.isNonBlocking)
    }

    /// As many records as there is room for (struct signalfd_siginfo, 128 bytes).
    override func read(_ count: Int) throws(Errno) -> [UInt8]? {
        guard count >= 128 else { throw .EINVAL }
        guard let thread = kernel.running else { return nil }
        var bytes: [UInt8] = []
        while bytes.count + 128 <= count, let information = kernel.takeSignal(thread, in: mask) {
            bytes += SignalFile.record(information)
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// Number, errno, code, process, user, descriptor, timer, band, overrun, trap, status.
    private static func record(_ information: SignalInformation) -> [UInt8] {
        let words: [UInt32] = [
            UInt32(information.number), 0, UInt32(bitPattern: information.code), information.value, 1000, 0, 0, 0, 0, 0,
            UInt32(bitPattern: information.status),
        ]
        return words.littleEndianBytes + [UInt8](repeating: 0, count: 128 - 44)
    }

    override var readiness: Readiness { kernel.running.map { kernel.hasSignal($0, in: mask) } ?? false ? [.input] : [] }
}
