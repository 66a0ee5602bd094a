import Formats

/// Datagrams to another app of this device, by its component ID (AF_AZSPIO; APP-11): 18 bytes of address, family 43 and 16 bytes.
final class ComponentSocket: Socket {
    static let familyNumber: UInt16 = 43
    /// What the driver lets into a real-time core's rings (HW-16).
    static let longest = 1024
    private static let longestQueue = 32
    private unowned let kernel: Kernel
    private var peer: GUID?
    private var waiting: [[UInt8]] = []

    init(_ kernel: Kernel, flags: UInt32) {
        self.kernel = kernel
        super.init(family: ComponentSocket.familyNumber, flags: flags)
    }

    override var type: UInt32 { 2 }
    override var peerAddress: [UInt8]? { peer.map { ComponentSocket.familyNumber.littleEndianBytes + $0.bytes } }

    /// It was disconnected, and what it had of its peer is somebody else's by now.
    private var isStale = false

    /// An option of the family's own; on an OS that forgets that the peer is gone, it writes to whatever is there now: here, to
    /// what the kernel knows of this process.
    func setOption(_ bytes: [UInt8], _ process: Process) throws(Errno) {
        let words = Bytes(bytes)
        guard bytes.count == 8, let user = words.u32(0), let rights = words.u32(4) else { throw .EINVAL }
        guard peer == nil, isStale else { throw .ENOPROTOOPT }
        guard process.policy.weaknesses.contains(.staleSocket) else { throw .ENOTCONN }
        (process.user, process.monitorRights) = (user, rights)
    }

    override func connect(_ address: [UInt8], _ process: Process) throws(Errno) -> Bool {
        if address.count >= 2, address[0] == 0 {
            (peer, isStale) = (nil, true)
            return true
        }
        guard address.count >= 18, address[0] == 43, let component = GUID(bytes: Array(address[2..<18])) else { throw .EINVAL }
        if let grants = process.policy.grants, !grants.components.contains("\(component)".lowercased()) { throw .EACCES }
        peer = component
        kernel.register(self, for: component)
        return true
    }

    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? {
        guard let peer else { throw .ENOTCONN }
        guard bytes.count <= ComponentSocket.longest else { throw .EMSGSIZE }
        // Who is not there does not hear it; where the way is full one waits.
        return kernel.interCore?(peer, bytes) ?? true ? bytes.count : nil
    }

    override func receive(_ count: Int, peek: Bool) throws(Errno) -> (bytes: [UInt8], from: [UInt8])? {
        guard let first = waiting.first else { return nil }
        if !peek { waiting.removeFirst() }
        return (Array(first.prefix(count)), [])
    }

    var hasRoom: Bool { waiting.count < ComponentSocket.longestQueue }
    func deliver(_ bytes: [UInt8]) { waiting.append(bytes) }
    override var readiness: Readiness {
        var readiness: Readiness = waiting.isEmpty ? [] : [.input]
        if peer.map({ kernel.hasRoom?($0) ?? true }) ?? true { readiness.insert(.output) }
        return readiness
    }
}
