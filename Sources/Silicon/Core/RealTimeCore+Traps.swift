import CUnicorn

/// What the engine takes more lightly than the chip: instructions that must not be executed yet, divisions by zero and unaligned
/// accesses that are to be faults, and SEV.
extension RealTimeCore {
    /// An instruction that must not be executed, and why.
    struct Refused: Equatable {
        var cause: FaultCause
        var pc: UInt32
    }

    /// What must not be executed in a block of code. One that begins with what was just looked at goes on behind that.
    func refusal(in code: [UInt8], at address: UInt32) -> Refused? {
        guard !control.allowsFloats, let offset = ThumbCode.offset(ofFloatIn: code), passed != address &+ UInt32(offset) else { return nil }
        return Refused(cause: .noCoprocessor, pc: address &+ UInt32(offset))
    }

    /// The core has come to what must not be executed: nil if something before it in the block has changed that.
    func cause(of refused: Refused) -> FaultCause? {
        guard refused.cause == .noCoprocessor, control.allowsFloats else { return refused.cause }
        passed = refused.pc
        return nil
    }

    // MARK: Divisions and events

    /// BKPT with a number that stands for an instruction of the program.
    private static let standIn: [UInt8] = [0xDE, 0xBE]

    /// Puts a breakpoint in place of each instruction of a block that has to be looked at when it is reached: divisions that may
    /// be faults, and SEV. (Cutting the block there would have the engine translate it anew each time, which it never gives back.)
    /// In IT blocks, where a breakpoint is unconditional, they are left alone. True if there were any.
    func standIn(forCode code: [UInt8], at address: UInt32) -> Bool {
        var position = 0
        var conditional = 0
        var found = false
        while let first = ThumbCode.half(code, position) {
            let length = ThumbCode.length(first)
            let isDivision = control.trapsDivisionByZero && ThumbCode.isDivision(first, ThumbCode.half(code, position + 2) ?? 0)
            if conditional == 0, isDivision || first == ThumbCode.sendEvent, position + length <= code.count {
                let pc = address &+ UInt32(position)
                replaced[pc] = Array(code[position..<position + length])
                engine.storeCode(pc, RealTimeCore.standIn)
                found = true
            }
            conditional = ThumbCode.conditionals(after: first) ?? max(0, conditional - 1)
            position += length
        }
        return found
    }

    /// Code as the program has it.
    func removeStandIns() {
        for (pc, code) in replaced where engine.load(pc, 2) == RealTimeCore.standIn { engine.storeCode(pc, code) }
        replaced = [:]
    }

    /// Does what the instruction would have done; nil if there is none here.
    func doReplaced() -> Replacement? {
        guard let code = replaced[programCounter], engine.load(programCounter, 2) == RealTimeCore.standIn,
            let first = ThumbCode.half(code, 0)
        else { return nil }
        if let second = ThumbCode.half(code, 2) {
            let (dividend, divisor) = (engine[Engine.general[Int(first & 15)]], engine[Engine.general[Int(second & 15)]])
            if divisor == 0, control.trapsDivisionByZero {
                // Handlers look at the instruction.
                engine.storeCode(programCounter, code)
                replaced[programCounter] = nil
                return .refused(.divideByZero)
            }
            let isSigned = first & 0x20 == 0
            let signed =
                divisor == 0 ? 0 : Int32(bitPattern: dividend).dividedReportingOverflow(by: Int32(bitPattern: divisor)).partialValue
            let quotient = isSigned ? UInt32(bitPattern: signed) : divisor == 0 ? 0 : dividend / divisor
            engine[Engine.general[Int(second >> 8 & 15)]] = quotient
        } else {
            hasEvent = true
        }
        programCounter &+= UInt32(code.count)
        return .done
    }

    enum Replacement { case done, refused(FaultCause) }

    // MARK: CCR.UNALIGN_TRP

    /// The settings have been written: code that is translated already would not ask.
    func trapsChanged() {
        watchAccesses()
        for memory in engine.memories where memory.permission.contains(.execute) { engine.forgetCode(memory.base, count: memory.count) }
    }

    func watchAccesses() {
        guard !watchesAccesses else { return }
        watchesAccesses = true
        engine.watchAccesses { [unowned self] address, count, isWrite in
            guard count > 1, control.trapsUnaligned, address & UInt32(count - 1) != 0 else {
                return lookAtMixedPage(address, isWrite: isWrite)
            }
            unaligned = address
            closePage(of: address)
        }
    }
}
