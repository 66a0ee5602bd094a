import Formats
import Testing

@testable import Silicon

/// Code that changes for ever: the engine's memory for translated code would end, and the process with it.
@Suite struct RenewalTests {
    /// What it computes is known from the same sums on another machine.
    @Test func codeMayBeWrittenAnewForEver() throws {
        let ran = try Ran("rewrite", seconds: 2)
        #expect(ran.texts == ["0197b580 00030d40 00000019"])
        #expect(ran.core.engine.renewals > 0)
    }

    @Test func programsMayBeLoadedForEver() throws {
        let program = try Ran.program("user")
        let core = try ApplicationCoreTests.core(case: 0)
        let top = ApplicationCoreTests.stack + 0xF000
        core.registers.floats[27] = 0x4009_21FB_5444_2D18
        let before = core.registers
        for _ in 0..<60_000 where core.engine.renewals < 2 {
            // As exec does it: the same pages, other code for all that the engine knows.
            for segment in program.segments { core.memory.fill(segment.address, segment.bytes) }
            core.registers = before
            guard case .systemCall(4, let write) = core.run(instructions: 10_000) else {
                Issue.record("no call")
                return
            }
            #expect(core.memory.load(write[1], Int(write[2])) == Array("good\n".utf8))
            #expect(core.registers.thread == ApplicationCoreTests.thread && core.registers.floats[27] == before.floats[27])
        }
        #expect(core.engine.renewals == 2)
        // What may not be written still may not.
        #expect(!core.memory.store(program.entry, [0]) && core.memory.load(top, 1) == [0])
    }
}
