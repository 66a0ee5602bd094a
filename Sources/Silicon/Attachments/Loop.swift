/// A wire from MOSI to MISO: what goes out while something comes in is what comes in, and the line idles high.
final class Loop: Attachment {
    func spi(sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at now: Int64) -> [UInt8] {
        bothWays ? bytes.suffix(count) : [UInt8](repeating: 0xFF, count: count)
    }
}
