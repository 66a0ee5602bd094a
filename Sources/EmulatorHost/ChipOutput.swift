import Foundation
import Runtime

/// What several programs of one chip say: whole lines, each behind the name of who says it; of one program, bytes as they come.
public final class ChipOutput {
    /// Of the names; 0 for one program that needs none.
    private let width: Int
    private let hasTimes: Bool
    private var lines: [String: (bytes: [UInt8], at: Int64?)] = [:]
    private var order: [String] = []
    private var pending: [UInt8] = []
    /// Whoever reads has gone.
    public private(set) var isClosed = false

    public init(width: Int, hasTimes: Bool) { (self.width, self.hasTimes) = (width, hasTimes) }

    public func write(_ bytes: [UInt8], of name: String, isError: Bool, at now: Int64?) {
        if isError {
            Terminal.write(bytes)
            return
        }
        if lines[name] == nil { order.append(name) }
        for byte in bytes {
            var line = lines[name] ?? ([], nil)
            if line.bytes.isEmpty { line.at = now }
            line.bytes.append(byte)
            lines[name] = line
            if byte == 0x0A || line.bytes.count > 4096 { end(name) }
        }
        if width == 0 { end(name) }
    }

    private func end(_ name: String) {
        guard let line = lines[name], !line.bytes.isEmpty else { return }
        lines[name] = ([], nil)
        if width > 0 { pending += Array((name.padding(toLength: width, withPad: " ", startingAt: 0) + " | ").utf8) }
        if hasTimes, width > 0, let at = line.at { pending += Array("[\(seconds(at))] ".utf8) }
        pending += line.bytes
        if width > 0, line.bytes.last != 0x0A { pending.append(0x0A) }
        if pending.count > 4096 { flush() }
    }

    /// Something that is attached has done something.
    public func line(_ text: String, of name: String, at now: Int64) {
        end(name)
        let head = width > 0 ? name.padding(toLength: width, withPad: " ", startingAt: 0) + " | " : ""
        pending += Array("\(head)[\(seconds(now))] \(text)\n".utf8)
    }

    public func note(_ text: String, of name: String, at now: Int64?) {
        flush()
        let head = width > 0 && !name.isEmpty ? "\(name): " : ""
        Terminal.note("\(now.map { "[\(seconds($0))] " } ?? "")\(head)\(text)")
    }

    public func flush() {
        guard !pending.isEmpty, !isClosed else { return }
        do { try FileHandle.standardOutput.write(contentsOf: pending) } catch { isClosed = true }
        pending = []
    }

    public func finish() {
        for name in order { end(name) }
        flush()
    }
}
