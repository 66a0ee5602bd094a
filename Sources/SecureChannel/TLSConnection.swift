import COpenSSL

/// The end of a period that a clock is outside of, in Unix seconds (RFC 5280 section 4.1.2.5).
public enum ValidityBound: Equatable, Sendable { case notBefore(Int64), notAfter(Int64) }

/// One TLS 1.3 connection on memory: ciphertext in and out, plaintext in and out, no socket.
@safe public final class TLSConnection {
    public enum State: Equatable, Sendable {
        case handshaking
        case open
        /// The peer said goodbye (close_notify).
        case closed
        case failed(Failure)

        /// Why it failed, in words; nil if it has not.
        public var reason: String? { if case .failed(let failure) = self { failure.words } else { nil } }
    }

    /// Who ended a connection, and why.
    public enum Failure: Equatable, Sendable {
        /// This side would not have the peer's certificate.
        case certificate(String)
        /// Nor this one: it is not valid yet, or no longer, by this side's clock.
        case validity(String, ValidityBound)
        /// The peer said so (RFC 8446 section 6), by this number and name.
        case alert(UInt8, String)
        /// What came is nothing that this side takes.
        case record(String)

        public var words: String {
            switch self {
            case .certificate(let why), .validity(let why, _), .record(let why): why
            case .alert(_, let name): "peer alert: \(name)"
            }
        }
    }

    /// How many operations of each kind the connection has cost since last asked.
    public struct Work: Equatable, Sendable {
        public var signatures = 0
        public var verifications = 0
        public var agreements = 0
        public init(signatures: Int = 0) { self.signatures = signatures }
    }

    public private(set) var state = State.handshaking
    public private(set) var peer: Certificate?
    public private(set) var keyLog: [String] = []
    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private let configuration: TLSConfiguration
    private let host: String?
    private var refusal: Failure?
    private var received: [UInt8] = []
    private var work = Work()

    /// - Parameters:
    ///   - host: The name that the peer's certificate must hold.
    ///   - unixSeconds: What *this node's* clock shows; certificates are judged by it.
    public init(_ configuration: TLSConfiguration, host: String?, unixSeconds: Int64) {
        self.configuration = configuration
        self.host = host
        unsafe ssl = SSL_new(configuration.context)
        unsafe incoming = BIO_new(BIO_s_mem())
        unsafe outgoing = BIO_new(BIO_s_mem())
        unsafe SSL_set_bio(ssl, incoming, outgoing)
        unsafe SSL_set_ex_data(ssl, TLSConnection.index, Unmanaged.passUnretained(self).toOpaque())
        unsafe PathValidator.configure(
            SSL_get0_param(ssl), host: configuration.role == .client ? host : nil, unixSeconds: unixSeconds,
            isStrict: configuration.rule.profile != nil)
        switch configuration.role {
        case .client:
            unsafe SSL_set_connect_state(ssl)
            if let host { unsafe _ = ssl_set_server_name(ssl, host) }
            work.agreements = 1
            advance()
        case .server: unsafe SSL_set_accept_state(ssl)
        }
    }

    deinit { unsafe SSL_free(ssl) }

    /// Takes ciphertext from the wire and goes as far as it leads.
    public func receive(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        unsafe BIO_write(incoming, bytes, Int32(bytes.count))
        advance()
    }

    /// Ciphertext for the wire.
    public func takeOutput() -> [UInt8] {
        let count = unsafe bio_pending_bytes(outgoing)
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        unsafe BIO_read(outgoing, &bytes, Int32(count))
        return bytes
    }

    /// Plaintext that has come in.
    public func takeReceived() -> [UInt8] {
        defer { received = [] }
        return received
    }

    /// Encrypts plaintext; false unless the connection is open.
    @discardableResult
    public func send(_ plaintext: [UInt8]) -> Bool {
        guard state == .open, !plaintext.isEmpty else { return false }
        let written = unsafe SSL_write(ssl, plaintext, Int32(plaintext.count))
        if written <= 0 { fail(written) }
        return written > 0
    }

    public func close() {
        if state == .open { unsafe _ = SSL_shutdown(ssl) }
        ErrorQueue.clear()
    }

    public func takeWork() -> Work {
        defer { work = Work() }
        return work
    }

    public func takeKeyLog() -> [String] {
        defer { keyLog = [] }
        return keyLog
    }

    func log(_ line: String) { keyLog.append(line) }

    private func advance() {
        if state == .handshaking {
            let result = unsafe SSL_do_handshake(ssl)
            if result != 1 {
                fail(result)
                return
            }
            state = .open
            let presents = configuration.identity != nil
            work.signatures += configuration.role == .server || presents ? 1 : 0
            work.verifications += peer == nil ? 0 : 1
            work.agreements += configuration.role == .server ? 2 : 1
        }
        guard state == .open else { return }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe SSL_read(ssl, &buffer, Int32(buffer.count))
            guard count > 0 else {
                fail(count)
                return
            }
            received += buffer[..<Int(count)]
        }
    }

    private func fail(_ result: Int32) {
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: break
        case SSL_ERROR_ZERO_RETURN: state = .closed
        default:
            let code = ERR_peek_error()
            let alert = error_reason(code) - 1000  // SSL_AD_REASON_OFFSET
            if let refusal {
                state = .failed(refusal)
            } else if alert >= 0 && alert < 256, let text = unsafe SSL_alert_desc_string_long(alert) {
                state = unsafe .failed(.alert(UInt8(alert), String(cString: text)))
            } else {
                state = .failed(.record(ErrorQueue.take()))
            }
        }
        ErrorQueue.clear()
    }

    // MARK: Judging the peer

    private static let index = ssl_data_index()

    @unsafe static func of(_ ssl: OpaquePointer?) -> TLSConnection? {
        guard let slot = unsafe SSL_get_ex_data(ssl, index) else { return nil }
        return unsafe Unmanaged<TLSConnection>.fromOpaque(slot).takeUnretainedValue()
    }

    /// Called by OpenSSL with the peer's chain: 1 accepts, 0 refuses.
    @unsafe static func judge(_ store: OpaquePointer?) -> Int32 {
        let ssl = unsafe OpaquePointer(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()))
        guard let connection = unsafe of(ssl) else { return 0 }
        return unsafe connection.judge(store)
    }

    @unsafe private func judge(_ store: OpaquePointer?) -> Int32 {
        guard let leaf = unsafe X509_STORE_CTX_get0_cert(store) else { return 0 }
        unsafe peer = try? Certificate(leaf)
        if configuration.rule.trustsAnybody { return 1 }
        if let why = unsafe PathValidator.refusal(store, isStrict: configuration.rule.profile != nil) {
            refusal =
                switch why {
                case .rule(let words): .certificate(words)
                case .validity(let words, let bound): .validity(words, bound)
                }
            if unsafe X509_STORE_CTX_get_error(store) == X509_V_OK {
                unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
            }
            return 0
        }
        let chain = unsafe X509_STORE_CTX_get0_chain(store)
        work.verifications += unsafe Int(x509_stack_count(chain))
        guard let profile = configuration.rule.profile else { return 1 }
        guard let peer else { return unsafe refuse("profile: leaf does not parse", store) }
        let why = unsafe profile.refusal(of: chain, leaf: peer) ?? configuration.rule.accept(peer)
        if let why { return unsafe refuse(why, store) }
        return 1
    }

    @unsafe private func refuse(_ why: String, _ store: OpaquePointer?) -> Int32 {
        refusal = .certificate(why)
        unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
        return 0
    }
}
