/// Registers by their offsets, as far as they were written; in the order of offsets wherever the order shows.
struct RegisterFile: Codable, ExpressibleByDictionaryLiteral {
    private var words: [UInt32: UInt32] = [:]

    init() {}
    init(dictionaryLiteral elements: (UInt32, UInt32)...) { for (offset, value) in elements { words[offset] = value } }

    subscript(_ offset: UInt32) -> UInt32? {
        get { words[offset] }
        set { words[offset] = newValue }
    }
    subscript(_ offset: UInt32, default fallback: UInt32) -> UInt32 {
        get { words[offset] ?? fallback }
        set { words[offset] = newValue }
    }

    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        while !list.isAtEnd {
            let offset = try list.decode(UInt32.self)
            words[offset] = try list.decode(UInt32.self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        for (offset, value) in words.sorted(by: { $0.key < $1.key }) {
            try list.encode(offset)
            try list.encode(value)
        }
    }
}
