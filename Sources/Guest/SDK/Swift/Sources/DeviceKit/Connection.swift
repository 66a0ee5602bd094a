import CDeviceKit

/// TLS 1.3 to a host of the manifest's AllowedConnections.
public final class Connection {
    private let descriptor: Descriptor

    /// - Parameters:
    ///   - showsCertificate: Whether to show the certificate that the security service has issued to this device; the manifest
    ///     must have DeviceAuthentication.
    ///   - roots: A file of the image package with certificates to trust, in PEM; nil for those that the device trusts.
    public init(to host: String, port: UInt16, showsCertificate: Bool = true, roots: String? = nil) throws(SystemError) {
        let identity = showsCertificate ? Tls_Identity_Device : Tls_Identity_None
        let made: Int32 = unsafe host.withCString { name in
            guard let roots else { return unsafe Tls_Connect(name, port, identity, nil) }
            return unsafe roots.withCString { path in
                let place = unsafe Storage_GetAbsolutePathInImagePackage(path)
                defer { unsafe free(place) }
                return unsafe Tls_Connect(name, port, identity, place)
            }
        }
        descriptor = try Descriptor(made)
    }

    /// Waits until all is on its way. EPROTO: one side has refused the other.
    public func send(_ bytes: [UInt8]) throws(SystemError) { try descriptor.write(bytes) }

    /// Waits for what comes next, up to so many bytes; none if the other side has finished.
    public func receive(upTo limit: Int = 4096) throws(SystemError) -> [UInt8] { try descriptor.read(upTo: limit) }

    /// One request to the security service, and the status of its answer (RFC 9112).
    public func post(_ path: String, _ body: [UInt8], host: String) throws(SystemError) -> Int {
        let head = "POST \(path) HTTP/1.1\r\nhost: \(host)\r\ncontent-length: \(body.count)\r\n\r\n"
        try send(Array(head.utf8) + body)
        let answer = try receive()
        // HTTP/1.1 200 …
        guard answer.count >= 12 else { throw SystemError.protocolError }
        return answer[9..<12].reduce(0) { $0 * 10 + Int($1 &- 48) }
    }
}

/// A real-time core's app, or another of the device, by its component ID; both manifests must list the other.
public final class Partner {
    private let descriptor: Descriptor

    public init(_ componentID: String) throws(SystemError) {
        descriptor = try Descriptor(unsafe componentID.withCString { unsafe Application_Connect($0) })
    }

    public func send(_ bytes: [UInt8]) throws(SystemError) { try descriptor.write(bytes) }
    public func receive() throws(SystemError) -> [UInt8] { try descriptor.read(upTo: 1040) }
}

/// The one file that the app may write; the manifest says how long it may be.
public enum MutableFile {
    public static func load() throws(SystemError) -> [UInt8] {
        let file = try Descriptor(Storage_OpenMutableFile())
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(upTo: 512)
            if more.isEmpty { return bytes }
            bytes += more
        }
    }

    /// In place of what was there.
    public static func store(_ bytes: [UInt8]) throws(SystemError) {
        let file = try Descriptor(Storage_OpenMutableFile())
        try file.write(bytes)
        _ = try SystemError.check(ftruncate(file.number, .init(bytes.count)))
    }
}
