import Formats

/// What programs ask sockets about interfaces by ioctl (netdevice(7)). Nothing can be set.
extension Kernel {
    static let interfaceRequests: ClosedRange<UInt32> = 0x8910...0x8970

    /// struct ifreq: a name of 16 bytes, and 16 bytes of what is asked for.
    func interfaceControl(_ request: UInt32, _ argument: UInt32, _ memory: UserMemory) throws(Errno) -> UInt32 {
        if request == 0x8912 { return try listInterfaces(argument, memory) }
        let interface: NetworkInterface
        if request == 0x8910 {  // SIOCGIFNAME
            let index = try memory.word(argument &+ 16)
            guard let found = interfaces.first(where: { $0.index == index }) else { throw .ENODEV }
            try memory.put(argument, Kernel.name(found))
            return 0
        } else {
            let name = String(decoding: try memory.bytes(argument, 16).prefix { $0 != 0 }, as: UTF8.self)
            guard let found = interfaces.first(where: { $0.name == name }) else { throw .ENODEV }
            interface = found
        }
        let answer: [UInt8]
        switch request {
        case 0x8913: answer = UInt16(truncatingIfNeeded: interface.flags).littleEndianBytes
        case 0x8915, 0x8917: answer = SocketAddress(interface.address, 0).record
        case 0x8919: answer = SocketAddress(interface.address | ~interface.mask, 0).record
        case 0x891B: answer = SocketAddress(interface.mask, 0).record
        case 0x891D: answer = [0, 0, 0, 0]
        case 0x8921: answer = interface.largestPacketBytes.littleEndianBytes
        case 0x8927: answer = UInt16(interface.isLoopback ? 772 : 1).littleEndianBytes + interface.hardware
        case 0x8933: answer = interface.index.littleEndianBytes
        case 0x8942: answer = UInt32(1000).littleEndianBytes
        case 0x8970: answer = [UInt8](repeating: 0, count: 16)
        default: throw .EPERM
        }
        try memory.put(argument &+ 16, answer)
        return 0
    }

    private static func name(_ interface: NetworkInterface) -> [UInt8] {
        Array(interface.name.utf8.prefix(15)) + [UInt8](repeating: 0, count: 16 - min(15, interface.name.utf8.count))
    }

    /// SIOCGIFCONF: struct ifconf has a length and a place.
    private func listInterfaces(_ argument: UInt32, _ memory: UserMemory) throws(Errno) -> UInt32 {
        let (room, place) = (try memory.word(argument), try memory.word(argument &+ 4))
        let records = interfaces.map { Kernel.name($0) + SocketAddress($0.address, 0).record }
        let bytes = place == 0 ? records.flatMap { $0 } : records.prefix(Int(room / 32)).flatMap { $0 }
        try memory.putIfAny(place, place == 0 ? [] : bytes)
        try memory.put(argument, UInt32(bytes.count).littleEndianBytes)
        return 0
    }

    /// /proc/net/dev: nothing is counted.
    var interfaceTable: String {
        let head =
            "Inter-|   Receive                                                |  Transmit\n"
            + " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
        return head + interfaces.map { "\($0.name): 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n" }.joined()
    }
}
