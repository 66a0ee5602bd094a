import Formats
import Silicon

extension AddressSpace.Access {
    /// Where the kernel keeps no data from being run, what can be written can be.
    func asAllowed(_ runsData: Bool) -> AddressSpace.Access { self == .readWrite && runsData ? .everything : self }
}

/// Puts a static program into an address space, with its stack as Linux leaves it.
enum Loader {
    static let mappingsEnd: UInt32 = 0xB600_0000
    private static let stackTop: UInt32 = 0xBF00_0000
    static let stackBytes = 1 << 20
    /// Where programs go that can be anywhere.
    private static let dynamicBase: UInt32 = 0x0040_0000
    private static let page = AddressSpace.pageBytes

    struct Loaded {
        var entry: UInt32
        var stack: UInt32
        var heap: UInt32
    }

    static func load(
        _ program: ELFImage, into space: AddressSpace, arguments: [String], environment: [String], path: String, user: UInt32,
        random: [UInt8], runsData: Bool
    ) throws(Errno) -> Loaded {
        let shift = program.isPositionIndependent ? dynamicBase : 0
        var accesses: [UInt32: AddressSpace.Access] = [:]
        for segment in program.segments {
            guard segment.address &+ shift >= page, segment.address <= mappingsEnd - shift - segment.memoryBytes else { throw .ENOEXEC }
            for number in (segment.address + shift) / page...(segment.address + shift + segment.memoryBytes - 1) / page {
                let wanted: AddressSpace.Access = segment.isExecutable ? .readExecute : segment.isWritable ? .readWrite : .read
                switch (accesses[number], wanted) {
                case (nil, _), (.read?, _): accesses[number] = wanted
                case (.readWrite?, .readExecute), (.readExecute?, .readWrite): throw .ENOEXEC
                default: break
                }
            }
        }
        // In as few stretches as can be: the engine looks each access up among them.
        var stretches: [(start: UInt32, count: Int, access: AddressSpace.Access)] = []
        for (number, access) in accesses.sorted(by: { $0.key < $1.key }) {
            if let last = stretches.last, last.access == access, last.start + UInt32(last.count) == number * page {
                stretches[stretches.count - 1].count += Int(page)
            } else {
                stretches.append((number * page, Int(page), access))
            }
        }
        for stretch in stretches {
            guard space.map(stretch.start, count: stretch.count, stretch.access.asAllowed(runsData)) else { throw .ENOMEM }
        }
        for segment in program.segments { space.fill(segment.address + shift, segment.bytes) }
        let end = program.segments.map { $0.address + shift + $0.memoryBytes }.max() ?? 0
        guard space.map(stackTop - UInt32(stackBytes), count: stackBytes, AddressSpace.Access.readWrite.asAllowed(runsData)) else {
            throw .ENOMEM
        }
        let stack = try fillStack(program, shift, space, arguments, environment, path, user, random)
        return Loaded(entry: program.entry + shift, stack: stack, heap: (end + page - 1) & ~(page - 1))
    }

    private static func fillStack(
        _ program: ELFImage, _ shift: UInt32, _ space: AddressSpace, _ arguments: [String], _ environment: [String], _ path: String,
        _ user: UInt32, _ random: [UInt8]
    ) throws(Errno) -> UInt32 {
        var top = stackTop - 16
        func put(_ bytes: [UInt8]) -> UInt32 {
            top -= UInt32(bytes.count)
            space.store(top, bytes)
            return top
        }
        guard (arguments + environment).reduce(0, { $0 + $1.utf8.count + 5 }) <= 128 << 10 else { throw .E2BIG }
        let name = put(Array(path.utf8) + [0])
        let environmentAddresses = environment.reversed().map { put(Array($0.utf8) + [0]) }.reversed() as [UInt32]
        let argumentAddresses = arguments.reversed().map { put(Array($0.utf8) + [0]) }.reversed() as [UInt32]
        let platform = put(Array("v7l\0".utf8))
        let seed = put(Array(random.prefix(16)))
        let vector: [(UInt32, UInt32)] = [
            (3, program.headersAddress.map { $0 + shift } ?? 0), (4, 32), (5, UInt32(program.headerCount)), (6, page), (7, 0), (8, 0),
            (9, program.entry + shift), (11, user), (12, user), (13, user), (14, user), (15, platform), (16, hardwareCapabilities),
            (17, 100), (23, 0), (25, seed), (26, 0), (31, name), (0, 0),
        ]
        var words = [UInt32(arguments.count)] + argumentAddresses + [0] + environmentAddresses + [0]
        words += vector.flatMap { [$0.0, $0.1] }
        top = (top - UInt32(words.count * 4)) & ~15
        space.store(top, words.littleEndianBytes)
        return top
    }

    /// HWCAP_… of arch/arm: what a Cortex-A7 has.
    private static let hardwareCapabilities: UInt32 = 0xF_B0D7
}
