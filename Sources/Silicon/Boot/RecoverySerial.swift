/// The debug UART as boot code has it in recovery mode: 115,200 baud, 8N1. The core sleeps until a byte comes or its time
/// is over.
struct RecoverySerial {
    /// Start bit, eight bits, stop bit.
    static let byteNanoseconds: Int64 = 10 * 1_000_000_000 / 115_200
    private static let nothing: UInt32 = 0x100

    private var received: ArraySlice<UInt8> = []
    private(set) var sent: [UInt8] = []
    /// How long the core sleeps at most; nil while it runs.
    private(set) var waitNanoseconds: Int64?
    private var hasExpired = false

    // MARK: The core's side

    mutating func take(_ spentNanoseconds: inout Int64) -> UInt32 {
        guard let byte = received.popFirst() else { return Self.nothing }
        spentNanoseconds += Self.byteNanoseconds
        return UInt32(byte)
    }

    mutating func takeExpiry() -> UInt32 {
        defer { hasExpired = false }
        return hasExpired ? 1 : 0
    }

    mutating func send(_ byte: UInt8, _ spentNanoseconds: inout Int64) {
        sent.append(byte)
        spentNanoseconds += Self.byteNanoseconds
    }

    mutating func wait(milliseconds: UInt32) {
        if received.isEmpty { waitNanoseconds = Int64(milliseconds) * 1_000_000 }
    }

    // MARK: The cable's side

    /// Wakes the core: with bytes, or with none because its time is over.
    mutating func wake(_ bytes: [UInt8]) {
        received += bytes
        hasExpired = bytes.isEmpty
        waitNanoseconds = nil
    }

    mutating func takeSent() -> [UInt8] {
        defer { sent = [] }
        return sent
    }
}
