import Silicon

/// /proc/…/mem: a program's own memory by address. Who may open it for writing is the node's to say; what is written goes past
/// the permissions of pages, as in Linux.
final class MemoryFile: OpenFile {
    private weak var process: Process?
    private var offset: Int64 = 0

    init(_ process: Process) {
        self.process = process
        super.init(flags: OpenFile.readWrite)
    }

    override func read(_ count: Int) throws(Errno) -> [UInt8]? {
        defer { offset += Int64(count) }
        return try read(count, at: Int(offset))
    }
    override func read(_ count: Int, at address: Int) throws(Errno) -> [UInt8] {
        guard let bytes = process?.core.memory.load(UInt32(truncatingIfNeeded: address), count) else { throw .EIO }
        return bytes
    }
    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? {
        defer { offset += Int64(bytes.count) }
        return try write(bytes, at: Int(offset))
    }
    override func write(_ bytes: [UInt8], at address: Int) throws(Errno) -> Int {
        guard process?.core.memory.fill(UInt32(truncatingIfNeeded: address), bytes) == true else { throw .EIO }
        return bytes.count
    }
    override func seek(_ distance: Int64, _ whence: UInt32) throws(Errno) -> Int64 {
        guard whence <= 1, (-(1 << 32)..<1 << 32).contains(distance) else { throw .EINVAL }
        let place = whence == 0 ? distance : offset + distance
        guard (0...1 << 32).contains(place) else { throw .EINVAL }
        offset = place
        return offset
    }
}
