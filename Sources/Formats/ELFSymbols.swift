/// Names of functions and data in a program, by address: what a linker leaves for debuggers.
public struct ELFSymbols: Equatable, Sendable {
    public struct Symbol: Equatable, Sendable {
        public var name: String
        public var address: UInt32
        public var bytes: UInt32
    }

    /// Functions in the order of their addresses.
    public let functions: [Symbol]
    /// Variables, likewise.
    public let objects: [Symbol]

    /// Sections that say the same again are no reason to read it again.
    private static let mostSymbols = 1 << 17

    /// A file without symbols, or with wrong ones, has none: they are never needed to run it.
    public init(_ file: [UInt8]) {
        let bytes = Bytes(file)
        var found: [(kind: UInt8, symbol: Symbol)] = []
        if let table = bytes.u32(32), let size = bytes.u16(46), let count = bytes.u16(48), count <= 256 {
            for index in 0..<Int(count) where found.count < ELFSymbols.mostSymbols {
                let header = Int(table) + index * Int(size)
                // SHT_SYMTAB, with the section of its strings in the link field.
                guard bytes.u32(header + 4) == 2, let offset = bytes.u32(header + 16), let length = bytes.u32(header + 20),
                    let link = bytes.u32(header + 24), link < UInt32(count),
                    let strings = bytes.u32(Int(table) + Int(link) * Int(size) + 16)
                else { continue }
                found += ELFSymbols.read(bytes, Int(offset), Int(min(length, 1 << 20)), Int(strings))
            }
        }
        let sorted = found.sorted { ($0.symbol.address, $0.symbol.name) < ($1.symbol.address, $1.symbol.name) }
        functions = sorted.filter { $0.kind == 2 }.map(\.symbol)
        objects = sorted.filter { $0.kind == 1 }.map(\.symbol)
    }

    private static func read(_ bytes: Bytes, _ offset: Int, _ length: Int, _ strings: Int) -> [(kind: UInt8, symbol: Symbol)] {
        stride(from: offset, to: offset + length - 15, by: 16).compactMap { entry in
            guard let name = bytes.u32(entry), let address = bytes.u32(entry + 4), let size = bytes.u32(entry + 8),
                let info = bytes.block(entry + 12, 1)?.first, (1...2).contains(info & 15),
                let text = bytes.block(strings + Int(name), 1).map({ _ in bytes.text(strings + Int(name), limit: 128) })
            else { return nil }
            return (info & 15, Symbol(name: text, address: address & ~1, bytes: size))
        }
    }

    /// Where a function or a variable begins.
    public func address(of name: String) -> UInt32? { (functions + objects).first { $0.name == name }?.address }

    /// The function that an address lies in.
    public func function(at address: UInt32) -> Symbol? {
        functions.last { $0.address <= address && address - $0.address < max($0.bytes, 2) }
    }

    /// `check+0x24`, or the address itself.
    public func name(of address: UInt32) -> String {
        guard let function = function(at: address) else { return "0x" + String(address, radix: 16) }
        return address == function.address ? function.name : "\(function.name)+0x\(String(address - function.address, radix: 16))"
    }
}

extension Bytes {
    /// Text up to its zero.
    fileprivate func text(_ offset: Int, limit: Int) -> String {
        var end = offset
        while end - offset < limit, let byte = block(end, 1)?.first, byte != 0 { end += 1 }
        return String(decoding: block(offset, end - offset) ?? [], as: UTF8.self)
    }
}
