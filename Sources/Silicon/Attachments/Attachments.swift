public import Formats

/// What there is to attach.
public enum Attachments {
    struct Kind: Sendable {
        var name: String
        /// Kinds of places.
        var places: [String]
        var help: String
        /// A UART is a UART, on whatever chip.
        func isAttached(at place: AttachmentPlace) -> Bool { places.contains(place.kind == "uart" ? "debug" : place.kind) }
        /// Which of its words, from the first, is a file that it reads, and which one that it writes.
        var reads: @Sendable ([String]) -> Int? = { _ in nil }
        var writes: @Sendable ([String]) -> Int? = { _ in nil }
        /// From the words after the place.
        var make: @Sendable ([String]) throws(AttachmentError) -> any Attachment
    }

    static let kinds = [
        Kind(name: "button", places: ["gpio"], help: "button@gpio12:1s/200ms,3s/1s  pressed (low) at, for") {
            words throws(AttachmentError) in
            try Button(words)
        },
        Kind(name: "codec", places: ["i2s"], help: "codec@i2s0, codec@i2s0:440  hears a tone of so many hertz, says when it sounds") {
            words throws(AttachmentError) in try Codec(words)
        },
        Kind(
            name: "dfu", places: ["isu", "debug"],
            help: "dfu@isu0, dfu@isu0:1  an nRF52 in its serial DFU boot loader, and the version of the application that it has"
        ) { words throws(AttachmentError) in try FirmwareUpdatePeer(words) },
        Kind(name: "echo", places: ["isu", "debug"], help: "echo@isu0  answers every byte with itself") { _ throws(AttachmentError) in
            SerialEcho()
        },
        Kind(name: "imu", places: ["i2c", "spi"], help: "imu@i2c2, imu@spi1:lsm6dso  LSM6DS3 or LSM6DSO, lying flat; I2C address 0x6A") {
            words throws(AttachmentError) in try InertialSensor(words)
        },
        Kind(name: "led", places: ["gpio", "pwm"], help: "led@gpio8, led@gpio8:low, led@pwm0.1  says when it goes on and off") {
            words throws(AttachmentError) in try LED(words)
        },
        Kind(name: "loop", places: ["spi"], help: "loop@spi1  a wire from MOSI to MISO") { _ throws(AttachmentError) in Loop() },
        Kind(name: "relay", places: ["gpio"], help: "relay@gpio0  says when it closes and opens") { _ throws(AttachmentError) in Relay() },
        Kind(
            name: "sdcard", places: ["spi"],
            help: "sdcard@spi1:card.img, sdcard@spi1:card.img,write  an SDHC card in SPI mode; with write, the file keeps what is written",
            reads: { $0.contains("write") ? nil : 0 }, writes: { $0.contains("write") ? 0 : nil }
        ) { words throws(AttachmentError) in try MemoryCard(words) },
        Kind(
            name: "serial", places: ["isu", "debug"],
            help: """
                serial@isu0:script:dialogue.txt, serial@isu0:file:out.bin  says what a script has; keeps what it is told
                serial@isu0:tcp:127.0.0.1:4000, serial@isu0:pty  somebody outside, on the wall clock only
                """,
            reads: { $0.first?.hasPrefix("script:") == true ? 0 : nil }, writes: { $0.first?.hasPrefix("file:") == true ? 0 : nil }
        ) { words throws(AttachmentError) in try SerialPeer.make(words) },
        Kind(
            name: "signal", places: ["adc"],
            help: "signal@adc1:trace.csv, signal@adc1:sine,1.25,0.5,10Hz  seconds and volts; mean, amplitude and frequency",
            reads: { $0.first == "sine" ? nil : 0 }
        ) { words throws(AttachmentError) in try AnalogSignal(words) },
        Kind(
            name: "ssd1306", places: ["i2c", "spi"],
            help: """
                ssd1306@i2c2:screen.png, ssd1306@spi1:screen.pbm,dc=gpio6,1s,2s  a display of 128 by 64: its picture in the end, and \
                at these times; I2C address 0x3C
                """, writes: { _ in 0 }
        ) { words throws(AttachmentError) in try GraphicDisplay(words) },
        Kind(name: "thermistor", places: ["adc"], help: "thermistor@adc0:22.5  10 kΩ NTC at so many °C, below 10 kΩ to 2.5 V") {
            words throws(AttachmentError) in try Thermistor(words)
        },
        Kind(name: "voltage", places: ["adc"], help: "voltage@adc1:1.25  so many volts of 2.5") { words throws(AttachmentError) in
            try VoltageSource(words)
        },
        Kind(name: "wire", places: ["isu"], help: "wire@isu1:isu2  two ISUs of the chip, of whatever core, with each other: UART and I2C") {
            words throws(AttachmentError) in try Wire(words)
        },
    ]

    public static var help: String { kinds.map(\.help).joined(separator: "\n") }

    /// The parts of `led@gpio8`, `button@gpio12:1s/200ms`.
    private static func split(_ text: String) throws(AttachmentError) -> (kind: Kind, place: AttachmentPlace, words: [String]) {
        let halves = text.split(separator: "@", maxSplits: 1).map(String.init)
        guard halves.count == 2 else { throw AttachmentError("'\(text)': expected KIND@PLACE, such as led@gpio8") }
        guard let kind = kinds.first(where: { $0.name == halves[0] }) else {
            throw AttachmentError("unknown attachment '\(halves[0])'; there are \(kinds.map(\.name).joined(separator: ", "))")
        }
        let rest = halves[1].split(separator: ":", maxSplits: 1).map(String.init)
        guard let place = rest.first.flatMap({ AttachmentPlace($0) }), kind.isAttached(at: place) else {
            throw AttachmentError("'\(text)': a \(kind.name) is attached like \(kind.help.split { $0 == " " || $0 == "," }[0])")
        }
        return (kind, place, rest.count > 1 ? rest[1].split(separator: ",").map(String.init) : [])
    }

    public static func parse(_ text: String) throws(AttachmentError) -> (place: AttachmentPlace, attachment: any Attachment) {
        let (kind, place, words) = try split(text)
        return (place, try kind.make(words))
    }

    /// The same attachment with its file where somebody else finds it: a relative path leads from `inputs` if the file is
    /// read, from `outputs` if it is written.
    public static func resolved(_ text: String, inputs: String, outputs: String) -> String {
        guard let parts = try? split(text) else { return text }
        let (reads, writes) = (parts.kind.reads(parts.words), parts.kind.writes(parts.words))
        guard let index = reads ?? writes, parts.words.indices.contains(index) else { return text }
        var words = parts.words
        // `script:` and `file:` stand before the path.
        let prefix = ["script:", "file:"].first { words[index].hasPrefix($0) } ?? ""
        let path = String(words[index].dropFirst(prefix.count))
        let folder = reads == nil ? outputs : inputs
        guard !path.hasPrefix("/"), !folder.isEmpty else { return text }
        words[index] = "\(prefix)\(folder)/\(path)"
        return "\(parts.kind.name)@\(parts.place):\(words.joined(separator: ","))"
    }

    /// Whether its other end is outside: a terminal or a connection.
    public static func isOutside(_ text: String) -> Bool { outsideEnd(text) != nil }

    /// Its other end, if that is outside, and the UART that leads there.
    public static func outsideEnd(_ text: String) -> (port: SerialPortName, end: OutsideEnd)? {
        guard let (place, attachment) = try? parse(text), let port = place.port, let peer = attachment as? OutsidePeer else { return nil }
        return (port, peer.end)
    }

    /// Whether it writes to a file that it also reads.
    public static func changesInput(_ text: String) -> Bool {
        guard let parts = try? split(text) else { return false }
        return parts.kind.name == "sdcard" && parts.kind.writes(parts.words) != nil
    }

    /// Whether an app's UART leads there: each core has a board of its own, and who talks to one app talks to no other.
    public static func isReached(_ text: String, from manifest: AppManifest?) -> Bool {
        guard let manifest, let parts = try? split(text), case .serial(let unit) = parts.place, parts.kind.name != "wire" else {
            return true
        }
        return manifest.names("Uart").contains("ISU\(unit)")
    }
}
