import Foundation
import SecureChannel
import TPM
import TPMEvidence
import Testing

/// The log of a measured boot, written here and read by Debian's tools, and the other way round.
@Suite struct EventLogTests {
    static func log() -> EventLog {
        func event(_ register: Int, _ type: UInt32, _ text: String) -> EventLog.Event {
            .init(register: register, type: type, digest: sha256(Array(text.utf8)), data: Array(text.utf8))
        }
        let version = Array("board 1.0\0".utf8)
        var log = EventLog([.init(register: 0, type: EventType.crtmVersion, digest: sha256(version), data: version)])
        log.events.append(event(4, EventType.initialProgramLoader, "kernel 6.1 by its digest"))
        log.events.append(event(4, EventType.initialProgramLoader, "root file system, slot A"))
        log.events.append(.init(register: 5, type: EventType.noAction, digest: [UInt8](repeating: 0, count: 32), data: [1, 2, 3]))
        for register in 0...7 {
            let data = [UInt8](repeating: 0, count: 4)
            log.events.append(.init(register: register, type: EventType.separator, digest: sha256(data), data: data))
        }
        return log
    }

    /// What the log tells is what the TPM has, and what a quote beside it is about.
    @Test func itAgreesWithTheTPM() throws {
        let board = try Board()
        let key = try board.stack.takeOwnership().attestationKey
        let log = Self.log()
        var measured = EventLog()
        for event in log.events { try board.stack.measure(event, into: &measured) }
        #expect(measured == log)
        let selection = PCRSelection(0..<8)
        #expect(try board.stack.registers(PCRSelection(0..<24)) == log.values)
        let quote = try board.stack.quote(TPMStack.Persistent.attestationKey, nonce: [1], selection)
        let enrolled = try EnrolledAttestationKey(publicArea: key)
        #expect(throws: Never.self) { try enrolled.appraise(quote, nonce: [1], selection: selection, values: log.values) }
        var other = log
        other.events[1].digest = sha256([0])
        #expect(throws: QuoteRefusal.registers) { try enrolled.appraise(quote, nonce: [1], selection: selection, values: other.values) }
        #expect(log.falseEvents == [])
        other.events[0].data[0] ^= 1
        #expect(other.falseEvents == [0])
    }

    @Test func debianReadsIt() async throws {
        let board = try Board()
        var log = Self.log()
        // tpm2-tools 5.4 extends registers with events of this type, which the profile (section 10.4.1) says not to.
        log.events.removeAll { $0.type == EventType.noAction }
        let read = try await board.tool("tpm2_eventlog", [try board.write(log.encoded, "log")])
        #expect(read.isGood, "\(read.output)")
        for (register, value) in (0...7).map({ ($0, log.values[$0] ?? []) }) {
            let line = read.output.split(separator: "\n").last { $0.trimmingCharacters(in: .whitespaces).hasPrefix("\(register) ") }
            #expect(line?.hasSuffix("0x\(value.hex)") == true, "\(register): \(line ?? "") \(value.hex)")
        }
        #expect(read.output.contains("EV_S_CRTM_VERSION") && read.output.contains("EventNum: 11"), "\(read.output)")
    }

    @Test func itIsReadBack() throws {
        let log = Self.log()
        #expect(try EventLog(log.encoded) == log)
        #expect(try EventLog(EventLog().encoded).events == [])
    }

    /// The TCG's own example of such a log (Canonical Event Log Format 1.1, section 5.1.7), with the banks SHA-1 and SHA-256.
    @Test func example() throws {
        let hex =
            "0000000003000000000000000000000000000000000000000000000025000000" + "53706563204944204576656e743033000000000000020002"
            + "0200000004001400" + "0b002000" + "00" + "000000000800000002000000" + "0400c42fedad268200cb1d15f97841c344e79dae3320"
            + "0b00d4720b4009438213b803568017f903093f6bea8ab47d283db32b6eabedbbf155" + "100000001efb6b540c1d5540a4ad4ef4bf17b83a"
        let log = try EventLog(try #require([UInt8](hex: hex)))
        #expect(log.events.map(\.type) == [EventType.crtmVersion] && log.events[0].register == 0 && log.events[0].data.count == 16)
        // Its digest is of its data, so the reader found both.
        #expect(log.falseEvents == [])
    }

    /// Three banks and a vendor's data, as firmware of the trade writes it: TCG PC Client Platform Firmware Profile 1.05, tables
    /// 15 to 20, by hand.
    @Test func otherBanks() throws {
        let header = "00000000" + "03000000" + String(repeating: "00", count: 20) + "2b000000"
        let specification =
            "53706563204944204576656e74303300" + "00000000" + "00020002" + "03000000" + "04001400" + "0b002000" + "0c003000"
            + "02" + "abcd"
        let event =
            "07000000" + "04000000" + "03000000" + "0c00" + String(repeating: "33", count: 48) + "0400"
            + String(repeating: "11", count: 20) + "0b00" + String(repeating: "22", count: 32) + "04000000" + "00000000"
        let bytes = try #require([UInt8](hex: header + specification + event))
        let log = try EventLog(bytes)
        let expected = EventLog.Event(
            register: 7, type: EventType.separator, digest: [UInt8](repeating: 0x22, count: 32), data: [0, 0, 0, 0])
        #expect(log.events == [expected])
        #expect(log.falseEvents == [0])
    }

    /// Register 0 of a machine whose first measurements were made from locality 3 begins with 3.
    @Test func localityAtStart() {
        let locality = EventLog.Event(
            register: 0, type: EventType.noAction, digest: [UInt8](repeating: 0, count: 32), data: Array("StartupLocality\0".utf8) + [3])
        #expect(EventLog([locality]).values[0] == [UInt8](repeating: 0, count: 31) + [3])
    }

    @Test func refusals() throws {
        let whole = Self.log().encoded
        let header = EventLog().encoded.count
        for count in 0..<whole.count {
            // Cut between two events, it is a shorter log.
            guard (try? EventLog(Array(whole.prefix(count)))) == nil else { continue }
            do {
                _ = try EventLog(Array(whole.prefix(count)))
            } catch {
                guard case .short = error, count > header else {
                    #expect(error == .header && count < header, "\(count): \(error)")
                    continue
                }
            }
        }
        func refusal(_ place: Int, _ value: UInt8) -> EventLogRefusal? {
            var bytes = whole
            bytes[place] = value
            do throws(EventLogRefusal) { _ = try EventLog(bytes) } catch { return error }
            return nil
        }
        #expect(refusal(32, 0) == .header)
        #expect(refusal(header, 24) == .register(event: 0, 24))
        #expect(refusal(header + 8, 2) == .digests(event: 0))
        #expect(refusal(header + 12, 4) == .digests(event: 0))
        #expect(refusal(header + 12 + 34 + 3, 0xFF) == .short(event: 0))
        #expect(refusal(60, 0x0C) == .noSHA256)
    }
}
