/// Sends back what it is sent.
final class SerialEcho: Attachment {
    func received(_ byte: UInt8, at now: Int64) -> [UInt8] { [byte] }
}
