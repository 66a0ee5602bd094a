/// A voltage that changes: along the points of a file, straight from each to the next, or as a sine.
final class AnalogSignal: Attachment {
    private enum Shape {
        /// Nanoseconds and volts, in the order of time.
        case points([(at: Int64, volts: Double)])
        case sine(mean: Double, amplitude: Double, hertz: Double)
    }
    private let shape: Shape
    private static let referenceVolts = 2.5
    private static let longestFile = 64 << 20

    /// Words such as `trace.csv`, or `sine,1.25,0.5,10Hz`.
    init(_ words: [String]) throws(AttachmentError) {
        if words.first == "sine" {
            guard words.count == 4, let mean = Double(words[1]), let amplitude = Double(words[2]), words[3].hasSuffix("Hz"),
                let hertz = Double(words[3].dropLast(2)), mean.isFinite, amplitude.isFinite, (0...100_000).contains(hertz)
            else {
                throw AttachmentError("signal: expected mean and amplitude in volts, and a frequency up to 100000Hz: sine,1.25,0.5,10Hz")
            }
            guard mean - abs(amplitude) >= 0, mean + abs(amplitude) <= Self.referenceVolts else {
                throw AttachmentError("signal: a sine of \(words[1]) V and \(words[2]) V leaves 0 … 2.5 V")
            }
            shape = .sine(mean: mean, amplitude: amplitude, hertz: hertz)
        } else {
            guard words.count == 1 else { throw AttachmentError("signal: expected a file, or sine,MEAN,AMPLITUDE,FREQUENCY") }
            shape = .points(try AnalogSignal.points(words[0]))
        }
    }

    /// Lines of seconds and volts, below a line of names if there is one.
    private static func points(_ path: String) throws(AttachmentError) -> [(at: Int64, volts: Double)] {
        guard let text = BackingFile.readAll(path: path) else { throw AttachmentError("signal: cannot read \(path)") }
        guard text.count <= longestFile else { throw AttachmentError("signal: \(path) is longer than 64 MiB") }
        var points: [(at: Int64, volts: Double)] = []
        for (number, line) in text.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let fields = String(decoding: line, as: UTF8.self).split { $0 == "," || $0 == ";" || $0 == " " || $0 == "\t" || $0 == "\r" }
            if fields.isEmpty { continue }
            guard fields.count == 2, let seconds = Double(fields[0]), let volts = Double(fields[1]) else {
                if number == 0 { continue }
                throw AttachmentError("\(path):\(number + 1): expected seconds and volts, such as 0.5,1.25")
            }
            guard (0...1e9).contains(seconds), (0...referenceVolts).contains(volts) else {
                throw AttachmentError("\(path):\(number + 1): expected 0 s or more, and 0 … 2.5 V")
            }
            let at = Int64(seconds * 1e9)
            guard at >= points.last?.at ?? 0 else { throw AttachmentError("\(path):\(number + 1): earlier than the line before") }
            points.append((at, volts))
        }
        guard !points.isEmpty else { throw AttachmentError("signal: \(path) has no points") }
        return points
    }

    func sample(at now: Int64) -> UInt32 {
        let volts =
            switch shape {
            case .points(let points): AnalogSignal.volts(at: now, in: points)
            case .sine(let mean, let amplitude, let hertz):
                mean + amplitude * AnalogSignal.sine(ofTurns: Double(now % 1_000_000_000_000) / 1e9 * hertz)
            }
        return UInt32((max(0, min(Self.referenceVolts, volts)) / Self.referenceVolts * 4095).rounded())
    }

    private static func volts(at now: Int64, in points: [(at: Int64, volts: Double)]) -> Double {
        // The first point that is later.
        var (low, high) = (0, points.count)
        while low < high {
            let middle = (low + high) / 2
            if points[middle].at <= now { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return points[0].volts }
        let before = points[low - 1]
        guard low < points.count else { return before.volts }
        let after = points[low]
        return before.volts + (after.volts - before.volts) * Double(now - before.at) / Double(max(1, after.at - before.at))
    }

    /// By a series: no library whose last bit differs by machine.
    private static func sine(ofTurns turns: Double) -> Double {
        var part = turns - turns.rounded(.down)
        // −¼ … ¼ turn is all there is to know.
        if part > 0.75 { part -= 1 } else if part > 0.25 { part = 0.5 - part }
        let x = part * 2 * Double.pi
        var (term, sum) = (x, x)
        for n in 1...8 {
            term *= -x * x / Double(2 * n * (2 * n + 1))
            sum += term
        }
        return sum
    }
}
