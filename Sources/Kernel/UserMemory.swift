import Formats
import Silicon

/// A program's memory as a system call sees it: what it may not touch itself is EFAULT.
struct UserMemory {
    let space: AddressSpace

    func bytes(_ address: UInt32, _ count: Int) throws(Errno) -> [UInt8] {
        guard let bytes = space.load(address, count) else { throw .EFAULT }
        return bytes
    }

    func fields(_ address: UInt32, _ count: Int) throws(Errno) -> Bytes { Bytes(try bytes(address, count)) }

    func word(_ address: UInt32) throws(Errno) -> UInt32 {
        guard let word = space.word(address) else { throw .EFAULT }
        return word
    }

    func text(_ address: UInt32) throws(Errno) -> String {
        guard let text = space.text(address) else { throw .EFAULT }
        return text
    }

    func put(_ address: UInt32, _ bytes: [UInt8]) throws(Errno) { if !space.store(address, bytes) { throw .EFAULT } }

    /// Nothing happens at address 0.
    func putIfAny(_ address: UInt32, _ bytes: [UInt8]) throws(Errno) { if address != 0 { try put(address, bytes) } }

    /// A list of addresses that ends with 0, as argv is.
    func texts(_ address: UInt32) throws(Errno) -> [String] {
        guard address != 0 else { return [] }
        var texts: [String] = []
        var total = 0
        while true {
            let next = try word(address &+ UInt32(texts.count) * 4)
            guard next != 0 else { return texts }
            let text = try text(next)
            total += text.utf8.count + 5
            guard total <= 128 << 10 else { throw .E2BIG }
            texts.append(text)
        }
    }

    /// struct iovec, and the bytes that each says.
    func vectors(_ address: UInt32, _ count: UInt32) throws(Errno) -> [(address: UInt32, count: Int)] {
        guard count <= 1024 else { throw .EINVAL }
        let fields = try fields(address, Int(count) * 8)
        let vectors = (0..<Int(count)).map { (address: fields.u32($0 * 8) ?? 0, count: Int(fields.u32($0 * 8 + 4) ?? 0)) }
        guard vectors.allSatisfy({ $0.count < 1 << 31 }) else { throw .EINVAL }
        return vectors
    }
}

/// Nanoseconds as the kernel's records have them.
enum Timespec {
    /// Two words, or two double words.
    static func read(_ memory: UserMemory, _ address: UInt32, isLong: Bool) throws(Errno) -> Int64 {
        let fields = try memory.fields(address, isLong ? 16 : 8)
        let seconds = isLong ? Int64(bitPattern: fields.u64(0) ?? 0) : Int64(Int32(bitPattern: fields.u32(0) ?? 0))
        let nanoseconds = Int64(isLong ? fields.u32(8) ?? 0 : fields.u32(4) ?? 0)
        guard nanoseconds < 1_000_000_000, seconds >= 0 else { throw .EINVAL }
        return min(seconds, 9_000_000_000) * 1_000_000_000 + nanoseconds
    }

    static func record(_ nanoseconds: Int64, isLong: Bool) -> [UInt8] {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return isLong
            ? seconds.littleEndianBytes + rest.littleEndianBytes
            : UInt32(truncatingIfNeeded: seconds).littleEndianBytes + UInt32(rest).littleEndianBytes
    }
}
