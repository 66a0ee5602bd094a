/// An SSD1306: 128 columns by 64 lines in eight pages (datasheet, Solomon Systech, rev 1.1), on I2C behind a control byte, or
/// on SPI with D/C on a pin. What it shows becomes a picture file, in the end and when it was asked for. As on the modules
/// that are sold, a picture is upright with the columns remapped (A1) and the lines scanned from the last (C8).
final class GraphicDisplay: Attachment {
    private static let columns = 128
    private static let pages = 8
    private static let addresses: ClosedRange<UInt8> = 0x3C...0x3D

    private let path: String
    /// When pictures are due, and what their names say; in order.
    private var times: [(at: Int64, name: String)] = []
    private let dataPin: Int?
    private var isData = true
    private var hasBeenUsed = false
    private var events: [String] = []

    /// By page and segment.
    private var memoryOfPixels = [UInt8](repeating: 0, count: columns * pages)
    private var state = State()
    /// A command that waits for its parameters.
    private var command: [UInt8] = []

    private struct State {
        var column = 0
        var page = 0
        /// 0 horizontal, 1 vertical, 2 page.
        var mode = 2
        var columnStart = 0
        var columnEnd = 127
        var pageStart = 0
        var pageEnd = 7
        var startLine = 0
        var offset = 0
        var lines = 64
        var isOn = false
        var isAllOn = false
        var isInverted = false
        var isRemapped = false
        var scansFromLast = false
    }

    /// Words such as `screen.png,dc=gpio6,1s,2s`.
    init(_ words: [String]) throws(AttachmentError) {
        guard let path = words.first, path.hasSuffix(".png") || path.hasSuffix(".pbm") else {
            throw AttachmentError("ssd1306: expected a file for its picture, .png or .pbm")
        }
        var pin: Int?
        for word in words.dropFirst() {
            if word.hasPrefix("dc="), case .gpio(let number)? = AttachmentPlace(String(word.dropFirst(3))) {
                pin = number
            } else if let time = Button.nanoseconds(word), time >= times.last?.at ?? 0 {
                times.append((time, word))
            } else {
                throw AttachmentError("ssd1306: '\(word)': expected times in order, such as 1s, and dc=gpio6 on SPI")
            }
        }
        (self.path, dataPin) = (path, pin)
    }

    var watchedPins: [Int] { dataPin.map { [$0] } ?? [] }
    func watched(pin: Int, isHigh: Bool, at now: Int64) { isData = isHigh }

    // MARK: The buses

    func i2c(address: UInt8, writing bytes: [UInt8], reading count: Int, at now: Int64) -> [UInt8]? {
        guard GraphicDisplay.addresses.contains(address) else { return nil }
        showDue(now)
        var rest = bytes[...]
        while let control = rest.popFirst() {
            let isData = control & 0x40 != 0
            // Co: one byte follows, and then another control byte; else all that follows is of one kind.
            let count = control & 0x80 != 0 ? min(1, rest.count) : rest.count
            for byte in rest.prefix(count) { take(byte, isData: isData) }
            rest = rest.dropFirst(count)
        }
        // Its status: bit 6 says that it is off.
        return [UInt8](repeating: state.isOn ? 0x00 : 0x40, count: count)
    }

    func spi(sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at now: Int64) -> [UInt8] {
        showDue(now)
        for byte in bytes { take(byte, isData: dataPin == nil || isData) }
        return [UInt8](repeating: 0xFF, count: count)
    }

    private func take(_ byte: UInt8, isData: Bool) {
        hasBeenUsed = true
        if isData { put(byte) } else { obey(byte) }
    }

    // MARK: Pixels

    private func put(_ byte: UInt8) {
        let segment = state.isRemapped ? GraphicDisplay.columns - 1 - state.column : state.column
        memoryOfPixels[state.page * GraphicDisplay.columns + segment] = byte
        func next(_ value: inout Int, _ start: Int, _ end: Int) -> Bool {
            let isRound = value == end
            value = isRound ? start : (value + 1) % 128
            return isRound
        }
        switch state.mode {
        case 0: if next(&state.column, state.columnStart, state.columnEnd) { _ = next(&state.page, state.pageStart, state.pageEnd) }
        case 1: if next(&state.page, state.pageStart, state.pageEnd) { _ = next(&state.column, state.columnStart, state.columnEnd) }
        default: _ = next(&state.column, 0, GraphicDisplay.columns - 1)
        }
        state.page &= 7
    }

    /// As somebody sees it who looks at the glass.
    private var picture: Picture {
        var picture = Picture(width: GraphicDisplay.columns, height: state.lines, pixels: [])
        for y in 0..<state.lines {
            let row = state.scansFromLast ? y : state.lines - 1 - y
            let line = (row + state.startLine + state.offset) % 64
            for x in 0..<GraphicDisplay.columns {
                let byte = memoryOfPixels[line / 8 * GraphicDisplay.columns + GraphicDisplay.columns - 1 - x]
                let isSet = state.isAllOn || byte >> UInt8(line % 8) & 1 != 0
                picture.pixels.append(state.isOn && isSet != state.isInverted)
            }
        }
        return picture
    }

    // MARK: Commands

    /// How many bytes follow a command.
    private static func parameters(_ command: UInt8) -> Int {
        switch command {
        case 0x20, 0x81, 0x8D, 0xA8, 0xD3, 0xD5, 0xD9, 0xDA, 0xDB: 1
        case 0x21, 0x22, 0xA3: 2
        case 0x26, 0x27: 6
        case 0x29, 0x2A: 5
        default: 0
        }
    }

    private func obey(_ byte: UInt8) {
        command.append(byte)
        guard command.count > GraphicDisplay.parameters(command[0]) else { return }
        defer { command = [] }
        let parameter = command.count > 1 ? Int(command[1]) : 0
        switch command[0] {
        case 0x00...0x0F: state.column = state.column & 0x70 | Int(byte & 0x0F)
        case 0x10...0x1F: state.column = state.column & 0x0F | Int(byte & 0x07) << 4
        case 0x20: state.mode = min(2, parameter & 3)
        case 0x21:
            (state.columnStart, state.columnEnd) = (parameter & 127, Int(command[2]) & 127)
            state.column = state.columnStart
        case 0x22:
            (state.pageStart, state.pageEnd) = (parameter & 7, Int(command[2]) & 7)
            state.page = state.pageStart
        case 0x40...0x7F: state.startLine = Int(byte & 63)
        case 0xA0, 0xA1: state.isRemapped = byte == 0xA1
        case 0xA4, 0xA5: state.isAllOn = byte == 0xA5
        case 0xA6, 0xA7: state.isInverted = byte == 0xA7
        case 0xA8: if parameter & 63 >= 15 { state.lines = parameter & 63 + 1 }
        case 0xAE, 0xAF: state.isOn = byte == 0xAF
        case 0xB0...0xB7: state.page = Int(byte & 7)
        case 0xC0...0xCF: state.scansFromLast = byte & 8 != 0
        case 0xD3: state.offset = parameter & 63
        // Contrast, clocks, voltages and scrolling change nothing that is shown here.
        case 0x26, 0x27, 0x29, 0x2A, 0x2E, 0x2F, 0x81, 0x8D, 0xA3, 0xD5, 0xD9, 0xDA, 0xDB, 0xE3: break
        default: events.append("there is no command 0x" + String(byte, radix: 16))
        }
    }

    // MARK: Files

    private func showDue(_ now: Int64) {
        while let due = times.first, due.at <= now {
            times.removeFirst()
            let dot = path.lastIndex(of: ".") ?? path.endIndex
            if hasBeenUsed { write("\(path[..<dot])-\(due.name)\(path[dot...])") }
        }
    }

    private func write(_ path: String) {
        if let error = BackingFile.replace(path: path, with: picture.file(named: path)) {
            events.append("cannot write \(path): errno \(error)")
        }
    }

    func finish(at now: Int64) {
        showDue(now)
        if hasBeenUsed { write(path) }
    }

    func takeEvents() -> [String] {
        defer { events = [] }
        return events
    }

    var memory: [UInt8] {
        get {
            var memo = Recollection()
            memo.add(memoryOfPixels)
            memo.add(command)
            memo.add(times.count)
            for flag in [hasBeenUsed, isData, state.isOn, state.isAllOn, state.isInverted, state.isRemapped, state.scansFromLast] {
                memo.add(flag)
            }
            for number in [
                state.column, state.page, state.mode, state.columnStart, state.columnEnd, state.pageStart, state.pageEnd, state.startLine,
                state.offset, state.lines,
            ] { memo.add(number) }
            return memo.bytes
        }
        set {
            var memo = Recollection(newValue)
            let pixels = memo.block()
            guard pixels.count == memoryOfPixels.count else { return }
            (memoryOfPixels, command) = (pixels, memo.block())
            times.removeFirst(times.count - memo.integer(in: 0...times.count))
            (hasBeenUsed, isData, state.isOn) = (memo.flag(), memo.flag(), memo.flag())
            (state.isAllOn, state.isInverted) = (memo.flag(), memo.flag())
            (state.isRemapped, state.scansFromLast) = (memo.flag(), memo.flag())
            (state.column, state.page, state.mode) = (memo.integer(in: 0...127), memo.integer(in: 0...7), memo.integer(in: 0...2))
            (state.columnStart, state.columnEnd) = (memo.integer(in: 0...127), memo.integer(in: 0...127))
            (state.pageStart, state.pageEnd) = (memo.integer(in: 0...7), memo.integer(in: 0...7))
            (state.startLine, state.offset, state.lines) = (
                memo.integer(in: 0...63), memo.integer(in: 0...63), memo.integer(in: 16...64)
            )
        }
    }
}
