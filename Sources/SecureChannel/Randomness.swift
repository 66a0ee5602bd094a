import COpenSSL

/// Where OpenSSL's random bytes come from.
///
/// In a virtual run they come from a seeded stream, so that handshakes, keys and signatures are the same in
/// each run. A wall-clock run never calls ``replace(with:)`` and uses the system's generator.
public enum Randomness {
    // The process has one thread that does cryptography: nodes are single-threaded event loops.
    nonisolated(unsafe) private static var source: ((Int) -> [UInt8])?
    nonisolated(unsafe) private static var method = unsafe RAND_METHOD(
        seed: { _, _ in 1 }, bytes: { unsafe Randomness.fill($0, $1) }, cleanup: {},
        add: { _, _, _ in 1 }, pseudorand: { unsafe Randomness.fill($0, $1) }, status: { 1 })

    /// From now on `source` gives all random bytes of this process.
    public static func replace(with source: @escaping (Int) -> [UInt8]) {
        unsafe Randomness.source = source
        unsafe RAND_set_rand_method(&method)
    }

    public static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        precondition(unsafe RAND_bytes(&bytes, Int32(count)) == 1, "the generator failed")
        return bytes
    }

    private static func fill(_ buffer: UnsafeMutablePointer<UInt8>?, _ count: Int32) -> Int32 {
        guard let buffer = unsafe buffer, let source = unsafe source else { return 0 }
        for (index, byte) in source(Int(count)).enumerated() { unsafe buffer[index] = byte }
        return 1
    }
}
