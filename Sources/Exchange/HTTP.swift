import NIOCore
import NIOEmbedded
import NIOHTTP1

/// An HTTP/1.1 request (RFC 9112) with its whole body.
public struct Request: Equatable, Sendable {
    public var method: String
    public var path: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(_ method: String, _ path: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }

    /// The first value of a header, by its name in any case.
    public subscript(header name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    public static func == (a: Request, b: Request) -> Bool {
        a.method == b.method && a.path == b.path && a.body == b.body
            && a.headers.elementsEqual(b.headers) { $0.name == $1.name && $0.value == $1.value }
    }
}

public struct Response: Equatable, Sendable {
    public var status: Int
    public var contentType: String
    public var body: [UInt8]
    /// RFC 9110 section 10.2.3: how long to stay away.
    public var retryAfterSeconds: Int?

    public init(_ status: Int, _ contentType: String = "application/json", body: [UInt8] = [], retryAfterSeconds: Int? = nil) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.retryAfterSeconds = retryAfterSeconds
    }

    public var isSuccess: Bool { (200..<300).contains(status) }
}

public enum HTTPError: Error, Equatable, Sendable {
    case malformed(String)
    case bodyTooLarge(limitBytes: Int)
}

/// HTTP on memory: swift-nio's codec on an embedded channel, one for each connection.
public final class HTTPChannel {
    /// Enough for certificates and error reports, little enough that a flood of bodies cannot fill the memory.
    public static let usualLimitBytes = 256 * 1024

    private static let headLimitBytes = 64 * 1024

    private let channel: EmbeddedChannel
    private let isServer: Bool
    var bodyLimitBytes: Int
    private var head: Request?
    /// What has come since the last head or body began or ended.
    private var pendingBytes = 0
    private var status = 0
    private var headers = HTTPHeaders()
    private var body: [UInt8] = []
    private var requests: [Request] = []
    private var responses: [Response] = []

    init(isServer: Bool, bodyLimitBytes: Int = HTTPChannel.usualLimitBytes) {
        self.isServer = isServer
        self.bodyLimitBytes = bodyLimitBytes
        channel = EmbeddedChannel()
        let pipeline = channel.pipeline.syncOperations
        do {
            if isServer {
                try pipeline.addHandler(HTTPResponseEncoder())
                try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
            } else {
                try pipeline.addHandler(HTTPRequestEncoder())
                try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder()))
            }
        } catch {
            preconditionFailure("a fresh channel takes its handlers: \(error)")
        }
    }

    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

    func encode(_ request: Request, host: String) throws(HTTPError) -> [UInt8] {
        var headers = HTTPHeaders([("host", host), ("content-length", String(request.body.count))])
        for (name, value) in request.headers { headers.add(name: name, value: value) }
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.path, headers: headers)
        return try write([
            HTTPClientRequestPart.head(head), .body(.byteBuffer(ByteBuffer(bytes: request.body))), .end(nil),
        ])
    }

    func encode(_ response: Response) throws(HTTPError) -> [UInt8] {
        var headers = HTTPHeaders([
            ("content-type", response.contentType), ("content-length", String(response.body.count)),
        ])
        if let seconds = response.retryAfterSeconds { headers.add(name: "retry-after", value: String(seconds)) }
        if response.contentType == "application/pkcs7-mime" {
            headers.add(name: "content-transfer-encoding", value: "base64")
        }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
        return try write([
            HTTPServerResponsePart.head(head), .body(.byteBuffer(ByteBuffer(bytes: response.body))), .end(nil),
        ])
    }

    private func write<Part>(_ parts: [Part]) throws(HTTPError) -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for part in parts { try channel.writeOutbound(part) }
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
        } catch {
            throw .malformed("\(error)")
        }
        return bytes
    }

    func receiveRequests(_ bytes: [UInt8]) throws(HTTPError) -> [Request] {
        try feed(bytes)
        defer { requests = [] }
        return requests
    }

    func receiveResponses(_ bytes: [UInt8]) throws(HTTPError) -> [Response] {
        try feed(bytes)
        defer { responses = [] }
        return responses
    }

    private func feed(_ bytes: [UInt8]) throws(HTTPError) {
        // Between one head and the next there is nothing that a decoder would have to keep for long.
        pendingBytes += bytes.count
        // Without a limit for bodies (`request-limits` off) there is none for heads either.
        guard bodyLimitBytes == .max || pendingBytes - HTTPChannel.headLimitBytes <= bodyLimitBytes else {
            throw .malformed("a head without end")
        }
        do {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            if isServer {
                while let part = try channel.readInbound(as: HTTPServerRequestPart.self) { try take(part) }
            } else {
                while let part = try channel.readInbound(as: HTTPClientResponsePart.self) { try take(part) }
            }
        } catch let error as HTTPError {
            throw error
        } catch {
            throw .malformed("\(error)")
        }
    }

    private func take(_ part: HTTPServerRequestPart) throws(HTTPError) {
        switch part {
        case .head(let head):
            // Content in a GET has no meaning, and is a way to smuggle a request (RFC 9110 section 9.3.1).
            let lengths = head.headers["content-length"] + head.headers["transfer-encoding"]
            if head.method == .GET || head.method == .HEAD, lengths.contains(where: { $0 != "0" }) {
                throw .malformed("content in a \(head.method.rawValue)")
            }
            self.head = Request(
                head.method.rawValue, head.uri, headers: head.headers.map { ($0.name, $0.value) })
            begins()
        case .body(let buffer): try grow(buffer)
        case .end:
            pendingBytes = 0
            if var request = head {
                request.body = body
                requests.append(request)
            }
            head = nil
        }
    }

    private func take(_ part: HTTPClientResponsePart) throws(HTTPError) {
        switch part {
        case .head(let head):
            status = Int(head.status.code)
            headers = head.headers
            begins()
        case .body(let buffer): try grow(buffer)
        case .end:
            pendingBytes = 0
            // 1xx answers come before the one that counts.
            if status >= 200 {
                responses.append(
                    Response(
                        status, headers.first(name: "content-type") ?? "", body: body,
                        retryAfterSeconds: headers.first(name: "retry-after").flatMap(Int.init).map { min(max($0, 0), 86_400) }))
            }
        }
    }

    private func begins() {
        pendingBytes = 0
        body = []
    }

    private func grow(_ buffer: ByteBuffer) throws(HTTPError) {
        guard body.count + buffer.readableBytes <= bodyLimitBytes else {
            throw .bodyTooLarge(limitBytes: bodyLimitBytes)
        }
        body += buffer.readableBytesView
    }
}
