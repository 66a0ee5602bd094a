public import SecureChannel

/// How the OS speaks TLS for a program: with the device's own certificate, its key stays in the silicon (CL-6).
public struct TLSClient {
    /// Nil where encryption is switched off: bytes then go as they are.
    public var configuration: TLSConfiguration?
    /// What the device's clock shows.
    public var unixSeconds: Int64
    /// What signing and verifying take on this device.
    public var nanoseconds: (TLSConnection.Work) -> Int64

    public init(_ configuration: TLSConfiguration?, unixSeconds: Int64, nanoseconds: @escaping (TLSConnection.Work) -> Int64) {
        (self.configuration, self.unixSeconds, self.nanoseconds) = (configuration, unixSeconds, nanoseconds)
    }
}

/// A handshake that a program asked for has ended.
public struct Secured: Equatable, Sendable {
    public var host: String
    public var port: UInt16
    /// Whether the program wanted the device's certificate shown.
    public var presents: Bool
    public var nanoseconds: Int64
    /// Why not; nil if it is open.
    public var failure: Failure?

    public enum Failure: Equatable, Sendable {
        case channel(TLSConnection.Failure)
        /// The stream was gone before.
        case connectionClosed

        public var words: String {
            switch self {
            case .channel(let failure): failure.words
            case .connectionClosed: "connection closed"
            }
        }
    }
}

/// TLS on one of a program's streams: it writes and reads what is inside.
final class SecureLayer {
    private let connection: TLSConnection
    private let client: TLSClient
    private let presents: Bool
    private let host: String
    private let port: UInt16
    private unowned let kernel: Kernel
    private let begun: Int64
    private var isTold = false

    init?(_ client: TLSClient, host: String, port: UInt16, _ kernel: Kernel) {
        guard let configuration = client.configuration else { return nil }
        connection = TLSConnection(configuration, host: host, unixSeconds: client.unixSeconds)
        presents = configuration.presentsCertificate
        (self.client, self.host, self.port, self.kernel) = (client, host, port, kernel)
        begun = kernel.now
        settle()
    }

    var isOpen: Bool { connection.state == .open }
    var hasFailed: Bool { if case .failed = connection.state { true } else { false } }
    var isOver: Bool { connection.state == .closed }

    /// What was inside of bytes from the network.
    func receive(_ bytes: [UInt8]) -> [UInt8] {
        connection.receive(bytes)
        settle()
        return connection.takeReceived()
    }

    func send(_ bytes: [UInt8]) { connection.send(bytes) }
    func close() { connection.close() }
    /// For the network.
    func takeOutput() -> [UInt8] { connection.takeOutput() }

    /// The stream is gone before the handshake was done.
    func broken() { if !isTold { tell(.connectionClosed) } }

    private func settle() {
        kernel.spend(client.nanoseconds(connection.takeWork()))
        guard !isTold else { return }
        switch connection.state {
        case .open: tell(nil)
        case .failed(let why): tell(.channel(why))
        default: break
        }
    }

    private func tell(_ failure: Secured.Failure?) {
        isTold = true
        let secured = Secured(host: host, port: port, presents: presents, nanoseconds: kernel.now - begun, failure: failure)
        kernel.onEvent(kernel.now, .secured(secured))
    }
}
