/// A statically linked ARM program (ELF32, little-endian, EXEC), as the loader of a real-time core takes it.
public struct ELFImage: Equatable, Sendable {
    public struct Segment: Equatable, Sendable {
        public var address: UInt32
        public var bytes: [UInt8]
        /// Size in memory; what the file does not fill is zero.
        public var memoryBytes: UInt32
        public var isExecutable: Bool
        public var isWritable: Bool
        /// Where its bytes lie in the file.
        public var fileOffset: Int
    }

    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case notELF, notARMExecutable, truncated, tooManySegments
        /// For another kind of processor: its name.
        case architecture(String)
        /// More than 16 MiB, or beyond the end of the address space.
        case hugeSegment(address: UInt32)
        case overlappingSegments(address: UInt32)
        /// Nothing is loaded where the program begins.
        case entryOutside(UInt32)

        public var description: String {
            switch self {
            case .notELF: "not an ELF file"
            case .notARMExecutable: "an ELF file, and not an executable for ARM"
            case .architecture(let name): "a program for \(name), not for 32-bit ARM"
            case .truncated: "an ELF file that ends too early"
            case .tooManySegments: "an ELF file with more than 32 program headers"
            case .hugeSegment(let address): "the segment at 0x\(String(address, radix: 16)) is larger than 16 MiB, or ends beyond 4 GiB"
            case .overlappingSegments(let address): "the segment at 0x\(String(address, radix: 16)) overlaps another"
            case .entryOutside(let address): "nothing is loaded at its entry point 0x\(String(address, radix: 16))"
            }
        }
    }

    private static let longestSegment: UInt32 = 16 << 20

    /// The whole file.
    public let file: [UInt8]
    public let entry: UInt32
    public let segments: [Segment]
    /// It may be loaded anywhere, and relocates itself (ET_DYN).
    public let isPositionIndependent: Bool
    /// Where its program headers are in memory, if they are, and how many.
    public let headersAddress: UInt32?
    public let headerCount: Int
    /// The path of the program that loads this one and its libraries (PT_INTERP); nil if it needs none.
    public let interpreter: String?

    /// - Parameter mayMove: Whether a program that can be loaded anywhere is taken: an operating system does.
    public init(_ bytes: [UInt8], mayMove: Bool = false) throws(Failure) {
        let file = Bytes(bytes)
        if let name = ELFImage.otherArchitecture(bytes) { throw .architecture(name) }
        guard file.block(0, 7) == [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1] else { throw .notELF }
        isPositionIndependent = file.u16(16) == 3
        guard file.u16(16) == 2 || mayMove && isPositionIndependent, file.u16(18) == 40 else { throw .notARMExecutable }
        guard let entry = file.u32(24), let table = file.u32(28), let entrySize = file.u16(42),
            let count = file.u16(44)
        else { throw .truncated }
        guard count <= 32 else { throw .tooManySegments }
        var segments: [Segment] = []
        var interpreter: String?
        for index in 0..<Int(count) {
            let header = Int(table) + index * Int(entrySize)
            guard let type = file.u32(header), let offset = file.u32(header + 4), let address = file.u32(header + 8),
                let fileBytes = file.u32(header + 16), let memoryBytes = file.u32(header + 20),
                let flags = file.u32(header + 24)
            else { throw .truncated }
            if type == 3 {
                guard fileBytes > 1, fileBytes <= 4096, let path = file.block(Int(offset), Int(fileBytes)) else { throw .truncated }
                interpreter = String(decoding: path.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard type == 1, memoryBytes > 0 else { continue }
            guard let content = file.block(Int(offset), Int(fileBytes)), fileBytes <= memoryBytes else {
                throw .truncated
            }
            guard memoryBytes <= ELFImage.longestSegment, address <= .max - memoryBytes else { throw .hugeSegment(address: address) }
            if segments.contains(where: { address < $0.address + $0.memoryBytes && $0.address < address + memoryBytes }) {
                throw .overlappingSegments(address: address)
            }
            segments.append(
                Segment(
                    address: address, bytes: content, memoryBytes: memoryBytes, isExecutable: flags & 1 != 0, isWritable: flags & 2 != 0,
                    fileOffset: Int(offset)))
        }
        guard segments.contains(where: { entry & ~1 >= $0.address && entry & ~1 < $0.address + $0.memoryBytes }) else {
            throw .entryOutside(entry)
        }
        self.interpreter = interpreter
        headerCount = Int(count)
        headersAddress = segments.first { Int(table) >= $0.fileOffset && Int(table) < $0.fileOffset + $0.bytes.count }
            .map { $0.address + (table - UInt32($0.fileOffset)) }
        self.file = bytes
        self.entry = entry
        self.segments = segments
    }

    /// The file without what no loader looks at: section headers, symbols, debugging information.
    public var stripped: [UInt8] {
        let end = segments.map { $0.fileOffset + $0.bytes.count }.max() ?? file.count
        let table = Int(Bytes(file).u32(28) ?? 0)
        // A program that has something else there is left as it is.
        guard table + headerCount * 32 <= end, file.count >= 52 else { return file }
        var bytes = Array(file[..<end])
        bytes.replaceSubrange(32..<36, with: [0, 0, 0, 0])
        bytes.replaceSubrange(46..<52, with: [0, 0, 0, 0, 0, 0])
        return bytes
    }

    /// What another kind of processor than a 32-bit ARM a file is a program for, in a word; nil if it is for this one, or none.
    public static func otherArchitecture(_ bytes: [UInt8]) -> String? {
        let file = Bytes(bytes)
        guard file.block(0, 4) == [0x7F, 0x45, 0x4C, 0x46], let kind = file.block(4, 2), (1...2).contains(kind[1]),
            let number = file.u16(18)
        else { return nil }
        let (isBig, isWide) = (kind[1] == 2, kind[0] == 2)
        let machine = isBig ? number.byteSwapped : number
        let names: [UInt16: String] = [
            3: "i386", 8: "MIPS", 20: "PowerPC", 21: "PowerPC", 40: "ARM", 62: "x86-64", 183: "AArch64", 243: "RISC-V",
        ]
        guard machine != 40 || isWide || isBig else { return nil }
        return (names[machine] ?? "machine \(machine) of ELF") + (machine == 40 && isWide ? " of 64 bits" : "")
            + (isBig ? ", big-endian" : "")
    }

    /// Where the byte at an address lies in the file; nil if it does not come from it.
    public func fileOffset(of address: UInt32) -> Int? {
        segments.first { address >= $0.address && address - $0.address < UInt32($0.bytes.count) }
            .map { $0.fileOffset + Int(address - $0.address) }
    }

    /// What lies in memory from an address on, with zeros between segments: what a loader copies that knows no ELF.
    public func flat(from base: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        for segment in segments.sorted(by: { $0.address < $1.address }) where segment.address >= base && !segment.bytes.isEmpty {
            let start = Int(segment.address - base)
            guard start <= 1 << 20 else { break }
            if bytes.count < start { bytes += [UInt8](repeating: 0, count: start - bytes.count) }
            bytes.replaceSubrange(start..<min(bytes.count, start + segment.bytes.count), with: segment.bytes)
        }
        return bytes
    }
}
