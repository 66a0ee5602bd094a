import Formats

/// An audio codec that clocks the I2S bus: a microphone that hears a tone (a triangle wave at a quarter of full scale), and a
/// speaker that says when sound begins and ends.
final class Codec: Attachment {
    /// 0 for silence.
    private let toneHertz: Int64
    /// Sound is over after this much silence.
    private static let pauseNanoseconds: Int64 = 50_000_000
    private var lastSound: Int64?

    /// Words such as `440`: hertz.
    init(_ words: [String]) throws(AttachmentError) {
        guard words.count < 2, let hertz = words.isEmpty ? 0 : Int64(words[0]), (0...20_000).contains(hertz) else {
            throw AttachmentError("codec: expected the frequency of a tone in hertz, such as codec@i2s0:440")
        }
        toneHertz = hertz
    }

    func audio(_ words: [UInt32], receiving count: Int, every spacing: Int64, at now: Int64) -> (heard: [UInt32], event: String?) {
        let isSound = words.contains { $0 != 0 }
        var event: String?
        if isSound {
            if lastSound == nil { event = "sound" }
            lastSound = now
        } else if let last = lastSound, now - last > Codec.pauseNanoseconds {
            event = "silence"
            lastSound = nil
        }
        return ((0..<count).map { tone(at: now - Int64(count - 1 - $0) * spacing) }, event)
    }

    /// Left and right alike.
    private func tone(at now: Int64) -> UInt32 {
        let phase = now % 1_000_000_000 * toneHertz % 1_000_000_000
        let height = (phase < 500_000_000 ? phase : 1_000_000_000 - phase) * 16_384 / 500_000_000 - 8_192
        let word = UInt32(UInt16(bitPattern: Int16(toneHertz == 0 ? 0 : height)))
        return word << 16 | word
    }

    var memory: [UInt8] {
        get { lastSound.map { UInt64(bitPattern: $0).littleEndianBytes } ?? [] }
        set { lastSound = Bytes(newValue).u64(0).map { Int64(bitPattern: $0) } }
    }
}
