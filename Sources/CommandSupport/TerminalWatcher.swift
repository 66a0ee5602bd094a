import Foundation
import Planning
public import RunFiles
import Runtime
public import Wire

/// Shows progress on a terminal and stays quiet in a pipe.
public final class TerminalWatcher: RunWatcher {
    private let isQuiet: Bool
    private let begun = ContinuousClock.now

    public init(isQuiet: Bool) { self.isQuiet = isQuiet || !Machine.hasTerminal }

    public func progress(_ now: Instant, of stop: Instant) {
        guard !isQuiet else { return }
        let share = Double(now.nanoseconds) / Double(max(1, stop.nanoseconds))
        let bar = String(repeating: "█", count: Int(share * 30)).padding(toLength: 30, withPad: "░", startingAt: 0)
        write("\r\u{1B}[K\(bar) \(readable(now - .start)) of \(readable(stop - .start))")
    }

    public func observed(_ observations: [Observation]) {}

    public func lost(_ process: String, _ end: String) { Terminal.note("orrery: \(process) is gone: \(end)") }

    public func done() { if !isQuiet { write("\r\u{1B}[K") } }

    private func write(_ text: String) { Terminal.write(Array(text.utf8)) }
}

/// How far something has come that is no run.
public final class TerminalMeter {
    private let title: String
    public init(_ title: String) { self.title = title }

    public func show(_ done: Int, of all: Int) {
        guard Machine.hasTerminal, done % 50 == 0 else { return }
        Terminal.write(Array("\r\u{1B}[K\(title): \(done) of \(all)".utf8))
    }

    public func done() { if Machine.hasTerminal { Terminal.write(Array("\r\u{1B}[K".utf8)) } }
}
