import Formats
import SecureChannel
public import Silicon
public import Wire

extension FlashRot {
    /// Charge leaks out of the cells that hold images.
    public func apply(to flash: Flash, of node: String, _ out: inout Outbox) {
        guard let layout = (try? ImageStore(flash: flash))?.layout else { return }
        var draws = SeedStream(seed: seed, node: node, purpose: "rot")
        let primaries = layout.entries.filter { $0.slot == .primary }
        for _ in 0..<bits {
            guard let entry = primaries.randomElement(using: &draws) else { return }
            try? flash.flip(bit: Int(draws.next() & 7), of: Int(entry.offset) + Int(draws.next() % UInt64(max(1, entry.length))))
            guard let digest = BootedImage.digest(entry, in: flash) else { continue }
            out.observe(.trace, [.instance: .text(instance), .digest: .text(digest.hex.digestHead), .target: .text(node)])
        }
    }
}
