/// The identification registers at the end of each block of Arm's design kit, from 0xFD0 on: PID4…7, PID0…3, CID0…3
/// (ARM DDI 0479, the programmer's model of each block).
enum CMSDKIdentification {
    /// - Parameter part: What PID0 reads as.
    static func read(_ offset: UInt32, part: UInt32) -> UInt32? {
        guard offset >= 0xFD0, offset < 0x1000 else { return nil }
        return [0x04, 0, 0, 0, part, 0xB8, 0x1B, 0, 0x0D, 0xF0, 0x05, 0xB1][Int(offset - 0xFD0) / 4]
    }
}
