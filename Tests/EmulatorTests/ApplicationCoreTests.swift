import Formats
import Silicon
import Testing

/// A static program in user mode on the A7.
@Suite struct ApplicationCoreTests {
    static let stack: UInt32 = 0x7F00_0000
    static let thread: UInt32 = 0x1234

    static func core(case number: UInt32) throws -> ApplicationCore {
        let program = try Ran.program("user")
        let core = try ApplicationCore()
        for segment in program.segments {
            let start = segment.address & ~4095
            let end = (segment.address + segment.memoryBytes + 4095) & ~4095
            #expect(core.memory.map(start, count: Int(end - start), segment.isExecutable ? .readExecute : .readWrite))
            core.memory.fill(segment.address, segment.bytes)
        }
        #expect(core.memory.map(stack, count: 64 << 10, .readWrite))
        let top = stack + 0xF000
        core.memory.store(top, [UInt8(number), 0, 0, 0])
        core.start(at: program.entry, stack: top)
        var registers = core.registers
        registers.thread = thread
        core.registers = registers
        return core
    }

    @Test func programsCallTheSystem() throws {
        let core = try Self.core(case: 0)
        guard case .systemCall(4, let write) = core.run(instructions: 10_000) else {
            Issue.record("no call")
            return
        }
        #expect(core.memory.load(write[1], Int(write[2])) == Array("good\n".utf8))
        core.answer(write[2])
        #expect(core.run(instructions: 10_000) == .systemCall(number: 1, arguments: [Self.thread] + core.registers.general[1...6]))
    }

    @Test func faultsAreSignals() throws {
        let program = try Ran.program("user")
        func signal(_ number: UInt32) throws -> (ApplicationCore.Signal?, UInt32, UInt32) {
            let core = try Self.core(case: number)
            if case .signal(let signal, let address, let pc) = core.run(instructions: 10_000) { return (signal, address, pc) }
            return (nil, 0, 0)
        }
        let code = program.entry..<program.entry + 0x1000
        let nowhere = try signal(1)
        #expect(nowhere.0 == .segmentationFault && nowhere.1 == 0x10 && code.contains(nowhere.2))
        let text = try signal(2)
        #expect(text.0 == .segmentationFault && text.1 == program.entry & ~3 && code.contains(text.2))
        let stack = try signal(3)
        #expect(stack.0 == .segmentationFault && stack.1 == Self.stack + 0xF000 && stack.2 == stack.1)
        let undefined = try signal(4)
        #expect(undefined.0 == .illegalInstruction && code.contains(undefined.2))
        let trap = try signal(5)
        #expect(trap.0 == .trap && code.contains(trap.2))
        let jump = try signal(7)
        #expect(jump.0 == .segmentationFault && jump.1 == 0x4000_0000)
        #expect(try signal(8).0 == .illegalInstruction)
        // The instruction itself, not the block that it is in.
        #expect(program.fileOffset(of: undefined.2).map { Array(program.file[$0..<$0 + 4]) } == [0xF0, 0x00, 0xF0, 0xE7])
    }

    @Test func timeIsCountedInInstructions() throws {
        let core = try Self.core(case: 6)
        #expect(core.run(instructions: 5000) == .outOfTime && core.instructions == 5000)
        #expect(core.run(instructions: 1) == .outOfTime && core.instructions == 5001)
    }

    @Test func theAddressSpaceIsTheProcessesOwn() throws {
        let core = try Self.core(case: 0)
        #expect(
            !core.memory.map(0x10_000, count: 4096, .read) && !core.memory.map(0x10_001, count: 4096, .read)
                && !core.memory.map(0xFFFF_0000, count: 4096, .read)
        )
        _ = core.memory.protect(0x20_000, count: 4096, .read)
        #expect(core.run(instructions: 10_000) == .signal(.segmentationFault, address: 0x20_000, pc: core.registers.general[15]))
    }
}
