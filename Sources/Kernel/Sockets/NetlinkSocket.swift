import Formats

/// An interface of the device's, as programs are told of it.
public struct NetworkInterface: Sendable {
    public var name: String
    /// From 1 on.
    public var index: UInt32
    public var address: UInt32
    /// Bits of its network.
    public var prefix: UInt8
    public var hardware: [UInt8]
    public var isLoopback: Bool

    /// IFF_UP, IFF_RUNNING and IFF_LOOPBACK, or IFF_BROADCAST and IFF_MULTICAST.
    var flags: UInt32 { isLoopback ? 0x49 : 0x1043 }
    var mask: UInt32 { prefix == 0 ? 0 : .max << (32 - UInt32(min(prefix, 32))) }
    var largestPacketBytes: UInt32 { isLoopback ? 65_536 : 1500 }
    static let loopback = NetworkInterface(
        name: "lo", index: 1, address: SocketAddress.loopback, prefix: 8, hardware: [UInt8](repeating: 0, count: 6), isLoopback: true)
}

extension Kernel {
    /// The loopback interface, wlan0 where there is a network, and eth0; until an address is known it is 0.0.0.0.
    var interfaces: [NetworkInterface] {
        let own = [("wlan0", wirelessAddress ?? (network == nil ? nil : 0)), ("eth0", wiredAddress())]
        return [.loopback]
            + own.enumerated().compactMap { index, interface in
                interface.1.map { address in
                    NetworkInterface(
                        name: interface.0, index: UInt32(2 + index), address: address, prefix: 24,
                        hardware: [0x02, UInt8(index)] + address.littleEndianBytes.reversed(), isLoopback: false)
                }
            }
    }
}

/// rtnetlink(7), as far as programs ask what interfaces and addresses there are: getifaddrs(3), and AI_ADDRCONFIG of getaddrinfo(3).
final class NetlinkSocket: Socket {
    static let familyNumber: UInt16 = 16
    private enum Kind {
        static let error: UInt16 = 2
        static let done: UInt16 = 3
        static let newLink: UInt16 = 16
        static let getLink: UInt16 = 18
        static let newAddress: UInt16 = 20
        static let getAddress: UInt16 = 22
        static let getRoute: UInt16 = 26
        /// NLM_F_MULTI: there is more to come.
        static let isPart: UInt16 = 2
    }

    private unowned let kernel: Kernel
    private let socketType: UInt32
    /// Whom answers are for: the process's number, as the kernel gives it to the first socket.
    private var port: UInt32 = 0
    private var waiting: [[UInt8]] = []

    init(_ kernel: Kernel, type: UInt32, flags: UInt32) {
        self.kernel = kernel
        socketType = type
        super.init(family: NetlinkSocket.familyNumber, flags: flags)
    }

    override var type: UInt32 { socketType }
    override var ownAddress: [UInt8] { NetlinkSocket.address(port) }
    override var peerAddress: [UInt8]? { NetlinkSocket.address(0) }

    /// struct sockaddr_nl.
    private static func address(_ port: UInt32) -> [UInt8] { [16, 0, 0, 0] + port.littleEndianBytes + [0, 0, 0, 0] }

    override func bind(_ address: [UInt8], _ process: Process) throws(Errno) {
        guard address.count >= 12, address[0] == 16, let wanted = Bytes(address).u32(4) else { throw .EINVAL }
        port = wanted == 0 ? UInt32(process.id) : wanted
    }

    override func connect(_ address: [UInt8], _ process: Process) throws(Errno) -> Bool {
        if port == 0 { port = UInt32(process.id) }
        return true
    }

    override func send(_ bytes: [UInt8], to address: [UInt8]?, _ process: Process) throws(Errno) -> Int? {
        if port == 0 { port = UInt32(process.id) }
        let fields = Bytes(bytes)
        guard let length = fields.u32(0), let kind = fields.u16(4), let sequence = fields.u32(8), length >= 16, Int(length) <= bytes.count
        else { throw .EINVAL }
        let isIPv4 = bytes.count <= 16 || [0, 2].contains(bytes[16])
        switch kind {
        case Kind.getLink: answer(kernel.interfaces.map { message(Kind.newLink, sequence, NetlinkSocket.link($0)) }, sequence)
        case Kind.getAddress where isIPv4:
            answer(kernel.interfaces.map { message(Kind.newAddress, sequence, NetlinkSocket.addressRecord($0)) }, sequence)
        // There is no IPv6 (OS-3), and routes are the OS's own affair.
        case Kind.getAddress, Kind.getRoute: answer([], sequence)
        default:
            let error = kind < Kind.newLink ? Errno.EINVAL : .EPERM
            waiting.append(
                message(Kind.error, sequence, UInt32(bitPattern: -error.rawValue).littleEndianBytes + bytes.prefix(16), flags: 0))
        }
        kernel.changed()
        return bytes.count
    }

    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? {
        guard let thread = kernel.running else { throw .EINVAL }
        return try send(bytes, to: nil, thread.process)
    }

    /// A dump: all in one datagram, and its end in another.
    private func answer(_ messages: [[UInt8]], _ sequence: UInt32) {
        if !messages.isEmpty { waiting.append(messages.flatMap { $0 }) }
        waiting.append(message(Kind.done, sequence, [0, 0, 0, 0]))
    }

    /// struct nlmsghdr and what follows.
    private func message(_ kind: UInt16, _ sequence: UInt32, _ body: [UInt8], flags: UInt16 = Kind.isPart) -> [UInt8] {
        UInt32(16 + body.count).littleEndianBytes + kind.littleEndianBytes + flags.littleEndianBytes + sequence.littleEndianBytes
            + port.littleEndianBytes + body
    }

    /// struct rtattr, filled up to four bytes.
    private static func attribute(_ kind: UInt16, _ value: [UInt8]) -> [UInt8] {
        UInt16(4 + value.count).littleEndianBytes + kind.littleEndianBytes + value + [UInt8](repeating: 0, count: -value.count & 3)
    }

    private static func big(_ value: UInt32) -> [UInt8] { value.littleEndianBytes.reversed() }

    /// struct ifinfomsg; IFLA_ADDRESS 1, IFLA_BROADCAST 2, IFLA_IFNAME 3, IFLA_MTU 4, IFLA_TXQLEN 13.
    private static func link(_ interface: NetworkInterface) -> [UInt8] {
        let head =
            [0, 0] + UInt16(interface.isLoopback ? 772 : 1).littleEndianBytes + [interface.index, interface.flags, 0].littleEndianBytes
        let ones = [UInt8](repeating: interface.isLoopback ? 0 : 0xFF, count: 6)
        return head + attribute(3, Array(interface.name.utf8) + [0]) + attribute(13, UInt32(1000).littleEndianBytes)
            + attribute(4, interface.largestPacketBytes.littleEndianBytes) + attribute(1, interface.hardware) + attribute(2, ones)
    }

    /// struct ifaddrmsg; IFA_ADDRESS 1, IFA_LOCAL 2, IFA_LABEL 3, IFA_BROADCAST 4.
    private static func addressRecord(_ interface: NetworkInterface) -> [UInt8] {
        let head = [2, interface.prefix, 0x80, interface.isLoopback ? 254 : 0] + interface.index.littleEndianBytes
        let broadcast = interface.isLoopback ? [] : attribute(4, big(interface.address | ~interface.mask))
        return head + attribute(1, big(interface.address)) + attribute(2, big(interface.address)) + broadcast
            + attribute(3, Array(interface.name.utf8) + [0])
    }

    override func receive(_ count: Int, peek: Bool) throws(Errno) -> (bytes: [UInt8], from: [UInt8])? {
        guard let first = waiting.first else { return nil }
        if !peek { waiting.removeFirst() }
        return (Array(first.prefix(count)), NetlinkSocket.address(0))
    }

    override var readiness: Readiness { waiting.isEmpty ? [.output] : [.input, .output] }
}
