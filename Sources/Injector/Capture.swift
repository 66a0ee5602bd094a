import Configuration
import Fabric
import Wire

/// Records streams as pcapng (draft-ietf-opsawg-pcapng) that Wireshark opens as IPv4, TCP and TLS: one
/// interface for each network, headers made up to fit what the fabric carried.
final class Capture: Tap {
    private struct Flow {
        var client: String
        var ends: (client: Endpoint, server: Endpoint)
        var next: (client: UInt32, server: UInt32) = (1, 1)
    }

    private let networks: [String]
    private let place: [String: (network: Int, address: Address)]
    private let epochNanoseconds: Int64
    private var flows: [Int: Flow] = [:]
    private var bytes: [UInt8] = []

    /// Enough to be worth a frame on the bus.
    private static let batchBytes = 64 * 1024

    init(_ configuration: ThreatConfiguration) {
        let names = configuration.networks.map(\.name)
        networks = names
        place = Dictionary(
            configuration.nodes.map { ($0.name, (names.firstIndex(of: $0.network) ?? 0, $0.address)) },
            uniquingKeysWith: { first, _ in first })
        epochNanoseconds = configuration.setting.epochSeconds * 1_000_000_000
        // Section header: byte order, version 1.0, length unknown.
        block(0x0A0D_0D0A, word(0x1A2B_3C4D) + [1, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 8))
        for name in networks {
            let text = Array(name.utf8)
            // Raw IP (101); options: name (2), nanosecond time stamps (9).
            block(1, [101, 0, 0, 0] + word(0) + option(2, text) + option(9, [9]) + word(0))
        }
    }

    func take(all: Bool) -> [UInt8]? {
        guard !bytes.isEmpty, all || bytes.count >= Capture.batchBytes else { return nil }
        defer { bytes = [] }
        return bytes
    }

    func inspect(_ passage: inout Passage, now: Instant) {
        guard !passage.isRetransmission else { return }
        switch passage.content {
        case .connect(let server):
            guard let client = place[passage.from] else { return }
            let port = UInt16(32_768 + passage.stream % 28_000)
            let flow = Flow(client: passage.from, ends: (Endpoint(client.address, port), server))
            flows[passage.stream] = flow
            packet(client.network, flow.ends.client, server, 0, 0, flags: 0x02, [], now)
            packet(client.network, server, flow.ends.client, 0, 1, flags: 0x12, [], now)
        case .data(let data): segments(of: data, passage, now)
        case .datagram, .lookup: break
        }
    }

    private func segments(of data: [UInt8], _ passage: Passage, _ now: Instant) {
        guard var flow = flows[passage.stream] else { return }
        let network = place[passage.from]?.network ?? place[flow.client]?.network ?? 0
        let fromClient = passage.from == flow.client
        for start in stride(from: 0, to: data.count, by: 1460) {
            let piece = Array(data[start..<min(start + 1460, data.count)])
            if fromClient {
                packet(network, flow.ends.client, flow.ends.server, flow.next.client, flow.next.server, flags: 0x18, piece, now)
                flow.next.client &+= UInt32(piece.count)
            } else {
                packet(network, flow.ends.server, flow.ends.client, flow.next.server, flow.next.client, flags: 0x18, piece, now)
                flow.next.server &+= UInt32(piece.count)
            }
        }
        flows[passage.stream] = flow
    }

    /// An enhanced packet block with IPv4 (RFC 791) and TCP (RFC 9293) headers without options.
    private func packet(
        _ network: Int, _ from: Endpoint, _ to: Endpoint, _ sequence: UInt32, _ acknowledged: UInt32, flags: UInt8,
        _ payload: [UInt8], _ now: Instant
    ) {
        var ip: [UInt8] = [0x45, 0] + big(UInt16(40 + payload.count)) + [0, 0, 0x40, 0, 64, 6, 0, 0]
        ip += big(from.address.bits) + big(to.address.bits)
        ip.replaceSubrange(10..<12, with: big(checksum(ip)))
        var tcp = big(from.port) + big(to.port) + big(sequence) + big(acknowledged) + [0x50, flags] + big(UInt16(64_240)) + [0, 0, 0, 0]
        let pseudo = big(from.address.bits) + big(to.address.bits) + [0, 6] + big(UInt16(20 + payload.count))
        tcp.replaceSubrange(16..<18, with: big(checksum(pseudo + tcp + payload)))
        let frame = ip + tcp + payload
        let time = UInt64(epochNanoseconds + now.nanoseconds)
        let padding = [UInt8](repeating: 0, count: (4 - frame.count % 4) % 4)
        block(
            6,
            word(UInt32(network)) + word(UInt32(time >> 32)) + word(UInt32(truncatingIfNeeded: time))
                + word(UInt32(frame.count)) + word(UInt32(frame.count)) + frame + padding)
    }

    /// RFC 1071.
    private func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
        }
        while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
        return ~UInt16(sum)
    }

    private func block(_ type: UInt32, _ body: [UInt8]) {
        let length = word(UInt32(12 + body.count))
        bytes += word(type) + length + body + length
    }

    private func option(_ code: UInt8, _ value: [UInt8]) -> [UInt8] {
        [code, 0, UInt8(value.count), 0] + value + [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
    }

    private func word(_ value: UInt32) -> [UInt8] { big(value).reversed() }
    private func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    }
}
