import Formats
import Silicon

extension AddressSpace.Access {
    /// Where the kernel keeps no data from being run, what can be written can be.
    func asAllowed(_ runsData: Bool) -> AddressSpace.Access { self == .readWrite && runsData ? .everything : self }
}

/// Puts a program into an address space, and with it the one that loads its libraries, with its stack as Linux leaves it.
enum Loader {
    static let mappingsEnd: UInt32 = 0xB600_0000
    static let stackTop: UInt32 = 0xBF00_0000
    static let stackBytes = 1 << 20
    /// Where programs go that can be anywhere.
    private static let dynamicBase: UInt32 = 0x0040_0000
    private static let page = AddressSpace.pageBytes

    struct Loaded {
        var entry: UInt32
        var stack: UInt32
        var heap: UInt32
        /// Where the next mapping goes, downwards.
        var mappings: UInt32
    }

    /// What a program is started with.
    struct Start {
        var arguments: [String]
        var environment: [String]
        var path: String
        var user: UInt32
        var random: [UInt8]
        var runsData: Bool
    }

    /// - Parameter interpreter: What loads the program's libraries, and is what begins.
    static func load(
        _ program: ELFImage, interpreter: ELFImage?, into space: AddressSpace, _ start: Start
    ) throws(Errno) -> Loaded {
        let shift = program.isPositionIndependent ? dynamicBase : 0
        let end = try place(program, shift, space, start.runsData)
        var (base, mappings, entry) = (UInt32(0), mappingsEnd, program.entry + shift)
        if let interpreter {
            guard interpreter.isPositionIndependent else { throw .ENOEXEC }
            let span = interpreter.segments.map { $0.address + $0.memoryBytes }.max() ?? 0
            guard span < mappingsEnd - end else { throw .ENOMEM }
            base = (mappingsEnd - span) & ~(page - 1)
            _ = try place(interpreter, base, space, start.runsData)
            (mappings, entry) = (base, interpreter.entry + base)
        }
        guard space.map(stackTop - UInt32(stackBytes), count: stackBytes, AddressSpace.Access.readWrite.asAllowed(start.runsData)) else {
            throw .ENOMEM
        }
        let stack = try fillStack(program, shift, base, space, start)
        return Loaded(entry: entry, stack: stack, heap: (end + page - 1) & ~(page - 1), mappings: mappings)
    }

    /// Maps and fills what a file has for memory; where that ends.
    private static func place(_ program: ELFImage, _ shift: UInt32, _ space: AddressSpace, _ runsData: Bool) throws(Errno) -> UInt32 {
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
        return program.segments.map { $0.address + shift + $0.memoryBytes }.max() ?? 0
    }

    private static func fillStack(
        _ program: ELFImage, _ shift: UInt32, _ base: UInt32, _ space: AddressSpace, _ start: Start
    ) throws(Errno) -> UInt32 {
        let (arguments, environment, user) = (start.arguments, start.environment, start.user)
        var top = stackTop - 16
        func put(_ bytes: [UInt8]) -> UInt32 {
            top -= UInt32(bytes.count)
            space.store(top, bytes)
            return top
        }
        guard (arguments + environment).reduce(0, { $0 + $1.utf8.count + 5 }) <= 128 << 10 else { throw .E2BIG }
        let name = put(Array(start.path.utf8) + [0])
        let environmentAddresses = environment.reversed().map { put(Array($0.utf8) + [0]) }.reversed() as [UInt32]
        let argumentAddresses = arguments.reversed().map { put(Array($0.utf8) + [0]) }.reversed() as [UInt32]
        let platform = put(Array("v7l\0".utf8))
        let seed = put(Array(start.random.prefix(16)))
        let vector: [(UInt32, UInt32)] = [
            (3, program.headersAddress.map { $0 + shift } ?? 0), (4, 32), (5, UInt32(program.headerCount)), (6, page), (7, base), (8, 0),
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
