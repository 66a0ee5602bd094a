import CUnicorn

extension SecurityCore {
    /// Makes the fault in the block that begins at `pc`, runs that block, and puts the code right again.
    func strike(_ glitch: Glitch, at pc: UInt32, _ end: inout End?) -> UInt32? {
        // The target is counted from here: find its address.
        var address = pc
        for _ in 0..<max(0, glitch.instruction - executed) {
            guard let half = engine.load(address, 2).flatMap({ ThumbCode.half($0, 0) }) else { return nil }
            address += UInt32(ThumbCode.length(half))
        }
        guard let first = engine.load(address, 2).flatMap({ ThumbCode.half($0, 0) }),
            let original = engine.load(address, ThumbCode.length(first))
        else { return nil }
        target = .max
        engine.storeCode(address, changed(original, glitch.model))
        change = .waits
        let how = engine.run(from: pc, thumb: true)
        change = .none
        engine.storeCode(address, original)
        if case .register(let number, let bit) = glitch.model, how == .interrupt(7) {
            // The rest of the block is still to come, and counted then.
            if let code = engine.load(address, Int(block + blockBytes - address)) { executed -= ThumbCode.count(code) }
            engine[Engine.general[min(number, 12)]] ^= 1 << UInt32(bit & 31)
            engine[UC_ARM_REG_PC] = address | 1
            return address
        }
        end = finished(how)
        return address
    }

    private func changed(_ original: [UInt8], _ model: Glitch.Model) -> [UInt8] {
        switch model {
        // A hole is an instruction that does nothing: NOP, or NOP.W.
        case .skip: return original.count == 2 ? [0x00, 0xBF] : [0xAF, 0xF3, 0x00, 0x80]
        case .flip(let bit):
            var bytes = original
            bytes[bit / 8 % bytes.count] ^= 1 << UInt8(bit % 8)
            return bytes
        // A breakpoint stops the core just there, even in a conditional block.
        case .register, .bus: return [0x00, 0xBE] + original.dropFirst(2)
        }
    }

    // MARK: Reads over the bus

    func bootReadingWrongly(_ glitch: Glitch) -> Run {
        watchBus()
        target = .max
        bus?.reset(glitch)
        let how = engine.run(from: (engine.word(4) ?? 0) & ~1, thumb: true)
        bus?.settle()
        return outcome(finished(how) ?? .crashed, bus?.hit)
    }

    /// Once for this core: an engine cannot be told to stop watching.
    func watchBus() {
        guard bus == nil else { return }
        let watch = BusWatch(engine)
        bus = watch
        engine.onInstruction = { [unowned self] address, _ in
            // Which instruction it is in the block that has been counted as a whole.
            let code = engine.load(block, Int(blockBytes)) ?? []
            watch.begin(address, executed - ThumbCode.count(code, from: Int(address &- block)))
        }
        engine.watchInstructions()
        engine.watchAccesses { address, count, isWrite in if !isWrite { watch.read(address, count) } }
        for memory in engine.memories { engine.forgetCode(memory.base, count: memory.count) }
    }

    /// Knows which instruction is being executed and how often it has read, and lets one of these reads go wrong.
    @safe final class BusWatch {
        private unowned let engine: Engine
        private var glitch: Glitch?
        /// The instruction that is being executed: the n-th since reset, its address, and how often it has read.
        private var number: Int64 = 0
        private var address: UInt32 = 0
        private var reads = 0
        /// What lies in memory wrongly while it is read.
        private var disturbed: (address: UInt32, original: [UInt8])?
        /// Bits of the next read of a register of a peripheral that are wrong.
        private var wrong: UInt32 = 0
        private(set) var hit: UInt32?
        /// The widths of all reads by instruction, if that is asked for.
        var widths: [Int64: [Int]]?

        init(_ engine: Engine) { self.engine = engine }

        func reset(_ glitch: Glitch?) {
            self.glitch = glitch
            (number, reads, wrong, hit) = (0, 0, 0, nil)
            settle()
        }

        func begin(_ address: UInt32, _ number: Int64) {
            settle()
            (self.address, self.number, reads) = (address, number, 0)
        }

        func read(_ from: UInt32, _ count: Int) {
            settle()
            widths?[number, default: []].append(count)
            defer { reads += 1 }
            guard let glitch, case .bus(reads, let bit) = glitch.model, glitch.instruction == number, bit < 8 * count else { return }
            hit = address
            guard var bytes = engine.load(from, count) else {
                wrong = 1 << UInt32(bit)
                return
            }
            disturbed = (from, bytes)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            engine.store(from, bytes)
        }

        func takeWrong() -> UInt32 {
            defer { wrong = 0 }
            return wrong
        }

        /// What memory holds has not changed, only what was read of it.
        func settle() {
            if let disturbed { engine.store(disturbed.address, disturbed.original) }
            disturbed = nil
        }
    }
}
