import Formats
import Foundation
import SecureChannel
import Testing

@testable import Silicon

/// What is attached, without a program.
@Suite struct AttachmentTests {
    @Test func aSignalFollowsItsFile() throws {
        let path = NSTemporaryDirectory() + "orrery-signal-\(UUID().uuidString).csv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        func signal(_ text: String) throws -> any Silicon.Attachment {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            return try Attachments.parse("signal@adc1:\(path)").attachment
        }
        let ramp = try signal("seconds,volts\n1,0.5\n2,1.5\n2,2.5\n4,0\n")
        let samples = [0, 1_000_000_000, 1_500_000_000, 2_000_000_000, 3_000_000_000, 9_000_000_000].map { ramp.sample(at: $0) }
        #expect(samples == [819, 819, 1638, 4095, 2048, 0])
        for (text, words) in [
            ("1,0.5\n0.5,1\n", ":2: earlier"), ("1,0.5\n2;x\n", ":2: expected seconds"), ("1,3\n", ":1: expected 0 s"), ("", "no points"),
            ("1,nan\n", ":1: expected"),
        ] {
            let error = #expect(throws: AttachmentError.self) { try signal(text) }
            #expect(error?.description.contains(words) == true, "\(text): \(String(describing: error))")
        }
    }

    @Test func aSineIsOne() throws {
        let sine = try Attachments.parse("signal@adc0:sine,1.25,1,10Hz").attachment
        for step in 0..<1000 {
            let now = Int64(step) * 137_000
            let expected = (1.25 + sin(Double(now) / 1e9 * 10 * 2 * .pi)) / 2.5 * 4095
            #expect(abs(Double(sine.sample(at: now)) - expected) <= 1)
        }
        for words in ["sine,1,2,3", "sine,2,1,10Hz", "sine,nan,0,1Hz", "sine,1,1,infHz"] {
            #expect(throws: AttachmentError.self) { try Attachments.parse("signal@adc0:\(words)") }
        }
    }

    /// The host's side of serial DFU, written from the same facts.
    private final class Host {
        let peer: any Silicon.Attachment
        init(_ peer: any Silicon.Attachment) { self.peer = peer }
        func ask(_ bytes: [UInt8]) -> [UInt8] {
            var sent: [UInt8] = []
            for byte in bytes { sent += byte == 0xC0 ? [0xDB, 0xDC] : byte == 0xDB ? [0xDB, 0xDD] : [byte] }
            var answer: [UInt8] = []
            for byte in sent + [0xC0] { answer += peer.received(byte, at: 0) }
            var plain: [UInt8] = []
            var isEscaped = false
            for byte in answer where byte != 0xC0 {
                if byte == 0xDB {
                    isEscaped = true
                } else {
                    plain.append(isEscaped ? byte == 0xDC ? 0xC0 : 0xDB : byte)
                    isEscaped = false
                }
            }
            return plain
        }
        func send(_ type: UInt8, _ object: [UInt8]) -> [UInt8] {
            let created = ask([1, type] + UInt32(object.count).littleEndianBytes)
            guard created == [0x60, 1, 1] else { return created }
            for start in stride(from: 0, to: object.count, by: 64) {
                guard ask([8] + object[start..<min(start + 64, object.count)]).isEmpty else { return [] }
            }
            return ask([4])
        }
    }

    /// Command { init { version 7, type, app_size or sd_size, hash { SHA-256, last byte first } } }.
    private func initPacket(_ firmware: [UInt8], isSoftDevice: Bool = false) -> [UInt8] {
        func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(content.count)] + content }
        let size: [UInt8] = [UInt8(firmware.count & 0x7F | 0x80), UInt8(firmware.count >> 7)]
        let kind: [UInt8] = isSoftDevice ? [0x20, 1, 0x28] : [0x20, 0, 0x38]
        let command = [0x08, 7] + kind + size + field(8, [0x08, 3] + field(2, sha256(firmware).reversed()))
        return field(1, [0x08, 1] + field(2, command))
    }

    @Test func firmwareIsUpdated() throws {
        let peer = try Attachments.parse("dfu@isu0:3").attachment
        let host = Host(peer)
        let firmware = (0..<6000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(host.ask([9, 0xC0]) == [0x60, 9, 1, 0xC0])
        #expect(host.ask([7]) == [0x60, 7, 1, 131, 0])
        #expect(host.ask([0x0B, 1]).prefix(8) == [0x60, 0x0B, 1, 1, 3, 0, 0, 0] && host.ask([0x0B, 2])[3] == 255)
        #expect(host.ask([6, 2]).prefix(7) == [0x60, 6, 1, 0, 16, 0, 0])
        // Firmware before its init packet, an unknown type, an unknown request.
        #expect(
            host.ask([1, 2, 0, 16, 0, 0]) == [0x60, 1, 8] && host.ask([6, 3]) == [0x60, 6, 7] && host.ask([0x20]) == [0x60, 0x20, 2])
        #expect(host.send(1, initPacket(firmware)) == [0x60, 4, 1])
        #expect(host.send(2, Array(firmware[..<4096])) == [0x60, 4, 1])
        #expect(host.ask([3]) == [0x60, 3, 1, 0, 16, 0, 0] + crc32(Array(firmware[..<4096])).littleEndianBytes)
        // Half an object is not executed, and is begun again.
        _ = host.ask([1, 2] + UInt32(1904).littleEndianBytes)
        _ = host.ask([8, 1, 2, 3])
        #expect(host.ask([4]) == [0x60, 4, 8])
        // Somebody who goes on from a snapshot is where the first was.
        let other = try Attachments.parse("dfu@isu0").attachment
        other.memory = peer.memory
        let heir = Host(other)
        #expect(heir.send(2, Array(firmware[4096...])) == [0x60, 4, 1])
        #expect(other.takeEvents().last == "firmware of 6000 bytes is installed, CRC-32 \(String(crc32(firmware), radix: 16))")
        #expect(heir.ask([0x0B, 1]).prefix(8) == [0x60, 0x0B, 1, 1, 7, 0, 0, 0])
        // Other firmware than the init packet says.
        _ = heir.send(1, initPacket(firmware))
        _ = heir.send(2, Array(firmware[..<4096]))
        #expect(heir.send(2, [UInt8](repeating: 0, count: 1904)) == [0x60, 4, 10])
    }

    /// A SoftDevice, then an application, in one session: the second finds nothing of the first, as hosts insist.
    @Test func imagesFollowEachOther() throws {
        let peer = try Attachments.parse("dfu@isu0").attachment
        let host = Host(peer)
        let images = [300, 200].map { [UInt8](repeating: UInt8($0 & 0xFF), count: $0) }
        for (image, isSoftDevice) in zip(images, [true, false]) {
            for type: UInt8 in [1, 2] { #expect(host.ask([6, type]).dropFirst(7).allSatisfy { $0 == 0 }, "type \(type)") }
            _ = host.send(1, initPacket(image, isSoftDevice: isSoftDevice))
            #expect(host.send(2, image) == [0x60, 4, 1])
        }
        #expect(peer.takeEvents().filter { $0.contains("installed") }.map { $0.prefix(12) } == ["SoftDevice o", "firmware of "])
        #expect((0..<4).map { host.ask([0x0B, $0])[3] } == [2, 1, 0, 255])
    }

    /// Whatever somebody writes to them, and whatever a changed snapshot has: they stand up.
    @Test func anythingIsTaken() throws {
        let image = NSTemporaryDirectory() + "orrery-card-\(UUID().uuidString).img"
        defer { try? FileManager.default.removeItem(atPath: image) }
        try Data(count: 512 << 10).write(to: URL(fileURLWithPath: image))
        var draws = PeripheralTests.Draws(seed: 9)
        for text in [
            "dfu@isu0:1", "sdcard@spi1:\(image)", "ssd1306@spi1:/nonexistent/x.png,dc=gpio6", "ssd1306@i2c0:/nonexistent/x.pbm,1s",
        ] {
            let one = try Attachments.parse(text).attachment
            for _ in 0..<3000 {
                let bytes = (0..<draws.word() % 12).map { _ in UInt8(truncatingIfNeeded: draws.word()) }
                for byte in bytes { _ = one.received(byte, at: 0) }
                _ = one.spi(
                    sending: [0x40 | UInt8(draws.word() % 64)] + bytes, receiving: Int(draws.word() % 9), bothWays: draws.word() & 1 == 0,
                    at: 0)
                _ = one.i2c(address: 0x3C, writing: bytes, reading: Int(draws.word() % 9), at: Int64(draws.word()))
                one.watched(pin: 6, isHigh: draws.word() & 1 == 0, at: 0)
            }
            let memory = one.memory
            let again = try Attachments.parse(text).attachment
            again.memory = memory
            #expect(again.memory == memory)
            for _ in 0..<300 {
                var spoilt = memory
                for _ in 0..<8 where !spoilt.isEmpty {
                    spoilt[Int(draws.word()) % min(spoilt.count, 400)] = UInt8(truncatingIfNeeded: draws.word())
                }
                again.memory = spoilt
                _ = again.spi(sending: [0xFF, 0x40, 0, 0, 0, 0, 0x95], receiving: 9, bothWays: false, at: 0)
                _ = again.received(0xC0, at: 0)
                again.finish(at: 0)
            }
            _ = one.takeEvents()
        }
    }

    @Test func placesAndFilesAreRead() throws {
        let board = Board()
        try board.attach("wire@isu1:isu2")
        for text in [
            "echo@isu2", "wire@isu2:isu3", "wire@isu3:isu3", "wire@isu4:gpio1", "serial@isu0:tcp:example.com:80",
            "serial@isu0:tcp:127.0.0.1:0", "serial@isu0:fax", "ssd1306@i2c1:screen.gif",
        ] {
            #expect(throws: AttachmentError.self, "\(text)") { try board.attach(text) }
        }
        #expect(Attachments.resolved("serial@isu0:script:a.txt", inputs: "/in", outputs: "/out") == "serial@isu0:script:/in/a.txt")
        #expect(Attachments.resolved("serial@isu0:file:b,c", inputs: "/in", outputs: "/out") == "serial@isu0:file:/out/b,c")
        #expect(Attachments.resolved("ssd1306@i2c1:s.png,1s", inputs: "/in", outputs: "/out") == "ssd1306@i2c1:/out/s.png,1s")
        #expect(Attachments.resolved("led@gpio8:low", inputs: "/in", outputs: "/out") == "led@gpio8:low")
    }
}
