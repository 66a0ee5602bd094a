/// A fault that somebody with a coil, a laser or a voltage spike makes while boot code runs.
public struct Glitch: Equatable, Sendable, Codable {
    public enum Model: Equatable, Sendable, Codable {
        /// The instruction is not executed.
        case skip
        /// A bit of its opcode, 0…31, is read wrongly.
        case flip(bit: Int)
        /// A bit of a general register, r0…r12, changes before it.
        case register(Int, bit: Int)
        /// A bit of what it reads, from memory or from a register of a peripheral: of its n-th read, from 0.
        case bus(read: Int, bit: Int)

        public var name: String {
            switch self {
            case .skip: "skip"
            case .flip(let bit): "flip bit \(bit)"
            case .register(let number, let bit): "flip r\(number) bit \(bit)"
            case .bus(let read, let bit): "flip bit \(bit) of read \(read)"
            }
        }
    }

    /// The n-th instruction that the core executes after its reset, from 0.
    public var instruction: Int64
    public var model: Model

    public init(instruction: Int64, model: Model) {
        self.instruction = instruction
        self.model = model
    }

    /// `1234:skip`, `1234:flip:5`, `1234:r3:7`, `1234:bus0:7`: how a glitch is written in files and on the command line.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2, let instruction = Int64(parts[0]), instruction >= 0 else { return nil }
        let bit = parts.count == 3 ? Int(parts[2]).flatMap { (0...31).contains($0) ? $0 : nil } : nil
        switch (parts[1], parts.count, bit) {
        case ("skip", 2, _): self.init(instruction: instruction, model: .skip)
        case ("flip", 3, let bit?): self.init(instruction: instruction, model: .flip(bit: bit))
        case (let word, 3, let bit?):
            let digits = word.drop { $0.isLetter }
            guard let number = Int(digits), number >= 0 else { return nil }
            switch word.dropLast(digits.count) {
            case "r" where number <= 12: self.init(instruction: instruction, model: .register(number, bit: bit))
            // No instruction loads more than 16 words.
            case "bus" where number <= 15: self.init(instruction: instruction, model: .bus(read: number, bit: bit))
            default: return nil
            }
        default: return nil
        }
    }

    public var text: String {
        switch model {
        case .skip: "\(instruction):skip"
        case .flip(let bit): "\(instruction):flip:\(bit)"
        case .register(let number, let bit): "\(instruction):r\(number):\(bit)"
        case .bus(let read, let bit): "\(instruction):bus\(read):\(bit)"
        }
    }
}
