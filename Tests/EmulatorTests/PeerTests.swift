import Emulator
import Formats
import Foundation
import Silicon
import Testing

/// Programs that talk to somebody: over wires, on buses, to a file's script.
@Suite struct PeerTests {
    /// A folder that is gone with the test.
    final class Folder {
        let path = NSTemporaryDirectory() + "orrery-peers-\(UUID().uuidString)"
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }
        func write(_ name: String, _ bytes: Data) throws -> String {
            try bytes.write(to: URL(fileURLWithPath: "\(path)/\(name)"))
            return "\(path)/\(name)"
        }
        func read(_ name: String) -> [UInt8] { FileManager.default.contents(atPath: "\(path)/\(name)").map(Array.init) ?? [] }
    }

    /// Runs a program and finishes what is attached.
    private func run(_ name: String, seconds: Double, attach: [String]) throws -> Ran {
        var boards: [Emulation] = []
        let ran = try Ran(name, seconds: seconds, attach: attach, keep: { boards.append($0) })
        boards.first?.board.finish(at: Int64(seconds * 1e9))
        return ran
    }

    /// A byte takes its bits' time, a full FIFO loses and says so, another rate garbles; a slave gets what a master writes.
    @Test func wiresLeadFromOneISUToTheOther() throws {
        let ran = try Ran("wires", seconds: 1, attach: ["wire@isu1:isu2"])
        #expect(
            ran.texts == [
                "100 bytes, wrong 0", "took 8.6 ms: 1", "waiting 15",
                "isu2 a byte was written while the transmitter's FIFO was full, and is lost", "arrived 16",
                "isu1 a byte came while the receiver's FIFO was full, and is lost", "of 21: 16", "overrun 1", "framing error",
                "nobody at 0x43: 1", "acknowledged 1", "slave has 5", "it is 12345", "clean 1", "acknowledged 1", "read bit 1",
                "000000a0 000000a1 000000a2 000000ff", "underrun 1", "acknowledged 1", "left 0", "wrong 0", "done",
            ])
        #expect(ran.core.unmodelled.isEmpty)
        // Without the wire nobody acknowledges, and nobody hears.
        #expect(try Ran("wires", seconds: 1).texts == [])
    }

    /// The same between two cores: the master holds the clock until the other core has come to that instant.
    @Test func wiresLeadFromOneCoreToTheOther() throws {
        final class Log { var lines: [String] = [], serial = SerialLine() }
        let log = Log()
        func part(_ name: String) throws -> ChipEmulation.Part {
            let one = try Emulation(try Ran.program(name), attach: ["wire@isu1:isu2"]) { _, event in
                switch event {
                case .serial(.debug, let bytes): for byte in bytes { log.serial.add(byte).map { log.lines.append($0) } }
                case .attachment(_, let text): log.lines.append(text)
                case .fault(let fault): log.lines.append("\(fault.cause)")
                default: break
                }
            }
            return ChipEmulation.Part(.realTime(one), name: name, manifest: nil)
        }
        let chip = try ChipEmulation([part("busmaster"), part("busslave")])
        #expect(chip.run(until: 1_000_000_000) == .outOfTime)
        #expect(log.lines == ["1 is 7", "2 is 14", "3 is 21", "4 is 28", "5 is 35", "refused before it was there: 1"])
        #expect(throws: ChipEmulation.Refusal.tooManyRealTime) {
            try ChipEmulation([part("tick"), part("tick"), part("tick")])
        }
    }

    /// Pins, DMA of three kinds, an I2C slave, both mailboxes and a tick, all by interrupts at once.
    @Test func everythingInterruptsAtOnce() throws {
        final class Log { var lines: [String: [String]] = [:], serial: [String: SerialLine] = [:] }
        let log = Log()
        func part(_ name: String, _ attach: [String]) throws -> ChipEmulation.Part {
            let one = try Emulation(try Ran.program(name), attach: attach) { _, event in
                if case .serial(.debug, let bytes) = event {
                    for byte in bytes { log.serial[name, default: SerialLine()].add(byte).map { log.lines[name, default: []].append($0) } }
                }
                if case .fault(let fault) = event { log.lines[name, default: []].append("\(fault.cause)") }
            }
            return ChipEmulation.Part(.realTime(one), name: name, manifest: nil)
        }
        let chip = try ChipEmulation([
            part(
                "together",
                [
                    "button@gpio12:100ms/20ms,300ms/20ms,500ms/20ms", "echo@isu0", "imu@spi1", "wire@isu2:isu3",
                    "app@a7:25025d2c-66da-4448-bae1-ac26fcdd3627",
                ]),
            part("mail", []),
        ])
        _ = chip.run(until: 2_000_000_000)
        #expect(
            log.lines["together"] == [
                "edges 6", "serial 60", "spi 20", "i2c 20", "slave 20", "app 1", "other 40", "dma 1", "wrong 0",
            ])
    }

    /// In a snapshot in the middle of a dialogue, who talks is in the middle too.
    @Test func aScriptTalksAndListens() throws {
        let folder = try Folder()
        let script = try folder.write(
            "dialogue.txt",
            Data(
                """
                # somebody at ISU 0
                expect "hello\\n" within 10ms
                at 100ms send "abc" 64 65 0a
                expect "5\\n" within 50ms
                wait 20ms send "x\\n"
                expect "9\\n" within 30ms
                send "\\x79\\n"

                """.utf8))
        let ran = try Ran("dialogue", seconds: 1, attach: ["serial@isu0:script:\(script)", "serial@debug:file:\(folder.path)/said"])
        #expect(ran.texts == ["heard abcde", "heard x", "isu0 expected \"9\\n\", heard \"1\\n\"", "heard y"])
        #expect(ran.lines.first.map { $0.at > 100_000_000 && $0.at < 101_000_000 } == true)
        for (text, words) in [
            ("send", "expected what to send"), ("at noon send 41", "expected a time after 'at'"), ("say \"x\"", "'say' is none of"),
            ("send \"x", "a text has no end"), ("\nexpect \"\\q\"", ":2: a backslash stands before"),
        ] {
            let path = try folder.write("bad.txt", Data(text.utf8))
            let error = #expect(throws: AttachmentError.self) { try Board().attach("serial@isu0:script:\(path)") }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        }
    }

    /// The picture of a display, on I2C and on SPI, in two formats and at two times.
    @Test func aDisplayIsSeen() throws {
        let folder = try Folder()
        let ran = try run(
            "display", seconds: 1,
            attach: ["ssd1306@i2c2:\(folder.path)/i2c.pbm,150ms", "ssd1306@spi1:\(folder.path)/spi.png,dc=gpio6"])
        #expect(ran.texts == ["drawn", "inverted"])
        let before = folder.read("i2c-150ms.pbm")
        #expect(Array(before.prefix(10)) == Array("P4\n128 64\n".utf8) && before.count == 10 + 1024)
        func isLit(_ x: Int, _ y: Int) -> Bool { before[10 + y * 16 + x / 8] >> UInt8(7 - x % 8) & 1 == 0 }
        #expect(isLit(0, 0) && isLit(127, 63) && isLit(64, 32) && isLit(10, 6) && !isLit(100, 10) && !isLit(30, 40))
        let after = folder.read("i2c.pbm")
        #expect(Array(after.dropFirst(10)) == before.dropFirst(10).map { ~$0 })
        #expect(Array(folder.read("spi.png").prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        #expect(Picture.lit(inPNG: folder.read("spi.png")) == after.dropFirst(10).map { ~$0 })
    }

    /// An SD card: what is read is in the image, what is written is read again, what is wrong is refused.
    @Test(arguments: [false, true]) func aCardHasBlocks(keeps: Bool) throws {
        let folder = try Folder()
        var image = Data(count: 1 << 20)
        image.replaceSubrange(3 * 512..<3 * 512 + 8, with: Array("orrery!?".utf8))
        let path = try folder.write("card.img", image)
        let ran = try Ran("card", seconds: 2, attach: ["sdcard@spi1:\(path)" + (keeps ? ",write" : "")])
        #expect(
            ran.texts == [
                "spi1 command 0: its checksum is wrong", "bad checksum 9", "idle 1", "interface 1", "pattern 1",
                "spi1 command 17 is not one of an SD card before it is ready", "too early 5", "tries 2", "ocr 0", "high capacity 3",
                "checks 0", "kilobytes 1024", "read 1", "block 3: orrery!?", "written 5", "spi1 block 6: its checksum is wrong",
                "spoilt 11", "first 5", "second 5", "again 1", "byte 63", "again 1", "byte 0", "again 1", "byte 63", "again 1", "byte 63",
                "stopped 0", "spi1 command 17: block 2048 of 2048", "beyond 64", "spi1 command 63 is not one of an SD card", "unknown 4",
            ])
        // The file keeps it if it was asked to.
        #expect(folder.read("card.img")[5 * 512 + 9] == (keeps ? 63 : 0))
        let odd = try folder.write("odd.img", Data(count: 1000))
        #expect(throws: AttachmentError.self) { try Board().attach("sdcard@spi1:\(odd)") }
        #expect(throws: AttachmentError.self) { try Board().attach("sdcard@spi1:\(folder.path)/nothing") }
    }
}

/// A PNG of one bit, stored in one block, as somebody else would read it.
enum Picture {
    static func lit(inPNG file: [UInt8]) -> [UInt8] {
        guard let start = file.indices.first(where: { file[$0...].starts(with: Array("IDAT".utf8)) }) else { return [] }
        let rows = file.dropFirst(start + 4 + 2 + 5).prefix(64 * 17)
        return stride(from: rows.startIndex, to: rows.endIndex, by: 17).flatMap { rows[$0 + 1..<$0 + 17] }
    }
}
