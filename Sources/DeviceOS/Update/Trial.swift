import Formats

/// Images that were installed and have yet to prove themselves, as flash remembers them.
struct Trial: Equatable {
    enum Phase: UInt8 {
        /// Running for the first time, with the old images as their backup.
        case running
        /// Proven; the backup copies are being made anew.
        case proven
    }

    var phase: Phase
    /// Starts since the installation.
    var starts: UInt8
    /// Of the table that makes the images count: if flash has another, power went before it was written or after it
    /// was taken back, and nothing is on trial.
    var generation: UInt32
    var images: [ImageReference]

    /// After so many starts without proof the device goes back.
    static let startLimit = 3

    init(_ images: [ImageReference], generation: UInt32) {
        (phase, starts, self.generation, self.images) = (.running, 0, generation, images)
    }

    init?(_ bytes: [UInt8]?) {
        guard let bytes, let generation = Bytes(bytes).u32(2), let phase = Phase(rawValue: bytes[0]) else { return nil }
        (self.phase, starts, self.generation) = (phase, bytes[1], generation)
        images = ImageReference.decode(Array(bytes[6...]))
    }

    var encoded: [UInt8] { [phase.rawValue, starts] + generation.littleEndianBytes + ImageReference.encode(images) }
    var isOfApps: Bool { images.allSatisfy { $0.type == .applications } }
}

extension StagedImage {
    /// {SHA-256, offset u32, length u32, received u32}: what a later check must know to go on.
    static func encodeProgress(_ images: [StagedImage]) -> [UInt8] {
        images.flatMap { image in
            image.sha256 + UInt32(image.offset).littleEndianBytes + UInt32(image.length).littleEndianBytes
                + UInt32(image.received).littleEndianBytes
        }
    }

    static func decodeProgress(_ bytes: [UInt8]) -> [StagedImage] {
        let words = Bytes(bytes)
        return stride(from: 0, to: bytes.count - 43, by: 44).compactMap { at in
            guard let offset = words.u32(at + 32), let length = words.u32(at + 36), let received = words.u32(at + 40) else { return nil }
            return StagedImage(
                type: .applications, ordinal: 0, name: "", version: 0, sha256: Array(bytes[at..<at + 32]), length: Int(length),
                offset: Int(offset), received: Int(received))
        }
    }
}
