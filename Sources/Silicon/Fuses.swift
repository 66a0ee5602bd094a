/// One-way memory: a bit that is set stays set (HW-19).
///
/// 0…31 general private key, 32…63 attestation private key (only Pluton reads these), 64…95 SHA-256 of the
/// key that signs boot images, 96 manufacturing state, 128…223 rollback counters as runs of set bits.
public final class FuseBank {
    public static let bytes = 256
    static let generalKey = 0..<32
    static let attestationKey = 32..<64
    static let bootKeyHash = 64..<96
    static let state = 96
    static let counters = 128

    private let file: BackingFile

    public init(path: String) throws(SiliconError) {
        var isNew = false
        file = try BackingFile(path: path, size: FuseBank.bytes, isNew: &isNew)
    }

    func read(_ range: Range<Int>) -> [UInt8] { file.read(range.lowerBound, range.count) }

    /// Sets bits; bits that are 0 in `bytes` stay as they are.
    func burn(_ offset: Int, _ bytes: [UInt8]) {
        let old = file.read(offset, bytes.count)
        file.write(offset, zip(old, bytes).map { $0 | $1 })
    }

    public var bootKeyHash: [UInt8] { read(FuseBank.bootKeyHash) }
    public var isBlank: Bool { file.read(FuseBank.state, 1) == [0] }

    /// What the factory fuses: whose images this chip boots.
    public func burnBootKeyHash(_ hash: [UInt8]) { burn(FuseBank.bootKeyHash.lowerBound, Array(hash.prefix(32))) }

    func markManufactured() { burn(FuseBank.state, [1]) }

    // MARK: Anti-rollback counters of 0…64

    public static let counterCount = 12

    public func counter(_ index: Int) -> Int {
        read(FuseBank.counters + index * 8..<FuseBank.counters + index * 8 + 8).reduce(0) { $0 + $1.nonzeroBitCount }
    }

    /// Raises a counter; it never falls.
    public func raiseCounter(_ index: Int, to value: Int) {
        var bits = [UInt8](repeating: 0, count: 8)
        for bit in 0..<min(max(value, 0), 64) { bits[bit / 8] |= 1 << (bit % 8) }
        burn(FuseBank.counters + index * 8, bits)
    }
}
