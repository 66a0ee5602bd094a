import Formats
import Wire

/// Images that were installed and have yet to prove themselves, as the settings remember them.
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
    /// Of the storage when the images count: if it has another, power went before it was written or after it
    /// was taken back, and nothing is on trial.
    var generation: UInt32
    var images: [ImageReference]
    var areApps: Bool

    /// After so many starts without proof the device goes back.
    static let startLimit = 3
    /// How long each start may take to its proof: what cannot reach the verifier cannot tell whose fault that is, and goes back in the end.
    static let startTime = Duration.hours(4)

    init(_ images: [ImageReference], generation: UInt32, _ software: any InstalledSoftware) {
        (phase, starts, self.generation, self.images) = (.running, 0, generation, images)
        areApps = software.areApps(images)
    }

    init?(_ bytes: [UInt8]?, _ software: any InstalledSoftware) {
        guard let bytes, let generation = Bytes(bytes).u32(2), let phase = Phase(rawValue: bytes[0]) else { return nil }
        (self.phase, starts, self.generation) = (phase, bytes[1], generation)
        let words = Bytes(bytes)
        images = stride(from: 6, to: bytes.count - 3, by: 4).compactMap { words.u32($0).map(ImageReference.init) }
        areApps = software.areApps(images)
    }

    var encoded: [UInt8] { [phase.rawValue, starts] + generation.littleEndianBytes + images.map(\.number).littleEndianBytes }
}

extension StagedImage {
    /// {SHA-256, place u32, length u32, received u32}: what a later check must know to go on.
    static func encodeProgress(_ images: [StagedImage]) -> [UInt8] {
        images.flatMap { image in
            image.sha256 + UInt32(image.place).littleEndianBytes + UInt32(image.length).littleEndianBytes
                + UInt32(image.received).littleEndianBytes
        }
    }

    static func decodeProgress(_ bytes: [UInt8]) -> [StagedImage] {
        let words = Bytes(bytes)
        return stride(from: 0, to: bytes.count - 43, by: 44).compactMap { at in
            guard let place = words.u32(at + 32), let length = words.u32(at + 36), let received = words.u32(at + 40) else { return nil }
            return StagedImage(
                reference: .init(number: 0), type: .init("", nil), name: "", version: 0, securityVersion: 0,
                sha256: Array(bytes[at..<at + 32]), length: Int(length), place: Int(place), received: Int(received))
        }
    }
}
