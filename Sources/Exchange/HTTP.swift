import NIOCore
import NIOEmbedded
import NIOHTTP1

/// An HTTP/1.1 request (RFC 9112) with its whole body.
public struct Request: Equatable, Sendable {
    public var method: String
    /// What is asked for: of the request's target the path alone, whether it came with a host (section 3.2.2) or a query.
    public var path: String
    /// Whom it is for, without a port: the target's host if it has one, else the header's (RFC 9112 section 3.2.2); nil without both.
    public var host: String?
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// It is a GET or a HEAD with content, which nobody has waited for: content has no meaning there (RFC 9110 section 9.3.1), and one
    /// changed digit of a length would else hold the connection until somebody gives up.
    var hasStrayContent = false
    /// Nothing follows on this connection: the client says so, or speaks HTTP/1.0 (RFC 9112 section 9.3).
    public var isLast = false

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
        a.method == b.method && a.path == b.path && a.body == b.body && a.isLast == b.isLast
            && a.headers.elementsEqual(b.headers) { $0.name == $1.name && $0.value == $1.value }
    }
}

public struct Response: Equatable, Sendable {
    public struct Header: Equatable, Sendable {
        public var name: String
        public var value: String
        public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    public var status: Int
    public var contentType: String
    public var body: [UInt8]
    /// RFC 9110 section 10.2.3: how long to stay away.
    public var retryAfterSeconds: Int?
    /// Beside those that every response has.
    public var headers: [Header]

    public init(
        _ status: Int, _ contentType: String = "application/json", body: [UInt8] = [], retryAfterSeconds: Int? = nil,
        headers: [Header] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.retryAfterSeconds = retryAfterSeconds
        self.headers = headers
    }

    public var isSuccess: Bool { (200..<300).contains(status) }

    /// Whole or in part, as the request wants it (RFC 9110 section 14): one range of bytes; a header that says anything else
    /// is ignored, as that section allows.
    public static func content(_ bytes: [UInt8], _ contentType: String, for request: Request) -> Response {
        let whole = Response(200, contentType, body: bytes, headers: [Header("accept-ranges", "bytes")])
        guard let range = request[header: "range"]?.lowercased(), range.hasPrefix("bytes=") else { return whole }
        let ends = range.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.allSatisfy(\.isASCIIDigit) && $0.count < 18 }) else { return whole }
        let asked: ClosedRange<Int>?
        switch (Int(ends[0]), Int(ends[1])) {
        case (let first?, let last?):
            guard first <= last else { return whole }
            asked = first < bytes.count ? first...min(last, bytes.count - 1) : nil
        case (let first?, nil): asked = first < bytes.count ? first...(bytes.count - 1) : nil
        case (nil, let length?): asked = length > 0 && !bytes.isEmpty ? max(0, bytes.count - length)...(bytes.count - 1) : nil
        case (nil, nil): return whole
        }
        guard let asked else { return Response(416, contentType, headers: [Header("content-range", "bytes */\(bytes.count)")]) }
        return Response(
            206, contentType, body: Array(bytes[asked]),
            headers: [Header("content-range", "bytes \(asked.lowerBound)-\(asked.upperBound)/\(bytes.count)")])
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}

public enum HTTPError: Error, Equatable, Sendable, CustomStringConvertible {
    case malformed(String)
    case bodyTooLarge(limitBytes: Int)
    /// Well formed, and more than this side does: a status of its own (RFC 9110 section 15).
    case unsupported(status: Int, String)

    var status: Int {
        switch self {
        case .malformed: 400
        case .bodyTooLarge: 413
        case .unsupported(let status, _): status
        }
    }

    public var description: String {
        switch self {
        case .malformed(let reason), .unsupported(_, let reason): reason
        case .bodyTooLarge(let limit): "content of more than \(limit) bytes"
        }
    }
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
    /// The rest of a request of an unknown kind says what it was.
    private var firstLine: [UInt8] = []
    private var requests: [Request] = []
    /// What a client that waits before it sends its content is to hear (RFC 9110 section 10.1.1).
    private var interim: [UInt8] = []
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

    /// - Parameters:
    ///   - request: What it answers; nil if nothing that could be read.
    ///   - unixSeconds: What this node's clock shows, for `Date` (RFC 9110 section 6.6.1).
    func encode(_ response: Response, to request: Request?, unixSeconds: Int64) throws(HTTPError) -> [UInt8] {
        var headers = HTTPHeaders([("date", HTTPDate.text(unixSeconds))])
        // Section 8.6: no length where there can be no content.
        if response.status != 204 {
            headers.add(name: "content-type", value: response.contentType)
            headers.add(name: "content-length", value: String(response.body.count))
        }
        if let seconds = response.retryAfterSeconds { headers.add(name: "retry-after", value: String(seconds)) }
        for header in response.headers { headers.add(name: header.name, value: header.value) }
        if request?.isLast ?? true { headers.add(name: "connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
        let hasContent = response.status != 204 && request?.method != "HEAD"
        return try write(
            [HTTPServerResponsePart.head(head)] + (hasContent ? [.body(.byteBuffer(ByteBuffer(bytes: response.body)))] : []) + [.end(nil)])
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

    /// What stands behind the requests that came last and is none.
    private(set) var failure: HTTPError?

    /// - Throws: What is no request, unless some came before it: then it is ``failure``.
    func receiveRequests(_ bytes: [UInt8]) throws(HTTPError) -> [Request] {
        defer { requests = [] }
        do throws(HTTPError) {
            try feed(bytes)
        } catch {
            if requests.isEmpty { throw error }
            failure = error
        }
        return requests
    }

    func takeInterim() -> [UInt8] {
        defer { interim = [] }
        return interim
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
            throw .unsupported(status: 431, "a head without end")
        }
        if isServer, head == nil, firstLine.count < 64 { firstLine += bytes.prefix(64 - firstLine.count) }
        var stopped: (any Error)?
        do { try channel.writeInbound(ByteBuffer(bytes: bytes)) } catch { stopped = error }
        // What came before an error is still there, and comes first.
        do {
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
        guard let stopped else { return }
        switch stopped as? HTTPParserError {
        // Whatever comes behind the last request is nobody's.
        case .closedConnection? where requests.last?.isLast == true: return
        case .invalidMethod? where isUnknownMethod: throw .unsupported(status: 501, "a method that nobody here knows")
        case .invalidVersion?: throw .unsupported(status: 505, "another version of HTTP")
        default: throw .malformed("\(stopped)")
        }
    }

    /// A word that could be a method (RFC 9110 section 9.1), where one belongs: not known, but not garbage either.
    private var isUnknownMethod: Bool {
        String(decoding: firstLine, as: UTF8.self).prefixMatch(of: /[A-Z]{1,24} [!-~]+( HTTP\/1|$)/) != nil
    }

    private func take(_ part: HTTPServerRequestPart) throws(HTTPError) {
        switch part {
        case .head(let head):
            let request = try checked(head)
            begins()
            if request.hasStrayContent { requests.append(request) } else { self.head = request }
        case .body(let buffer): if head != nil { try grow(buffer) }
        case .end:
            pendingBytes = 0
            if var request = head {
                request.body = body
                requests.append(request)
            }
            (head, firstLine, interim) = (nil, [], [])
        }
    }

    /// A letter, a digit, or one of a few signs: what a host may be written with. (A regular expression would be parsed anew for each request.)
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "._~%[]:-".utf8.contains(byte)
        }
    }

    private func checked(_ head: HTTPRequestHead) throws(HTTPError) -> Request {
        guard head.version.major == 1 else { throw .unsupported(status: 505, "HTTP \(head.version.major)") }
        let isOld = head.version.minor == 0
        let lengths = head.headers["content-length"]
        let codings = head.headers[canonicalForm: "transfer-encoding"].map { $0.lowercased() }
        // RFC 9112 section 3.2: exactly one host.
        let hosts = head.headers["host"]
        guard hosts.count == 1 || isOld && hosts.isEmpty else { throw .malformed("\(hosts.count) host headers") }
        guard hosts.allSatisfy({ $0.utf8.allSatisfy(HTTPChannel.isOfHost) }) else { throw .malformed("a host that is none") }
        // Section 6.1 and 6.3: what could be read in two ways is a way to smuggle a request.
        guard codings.isEmpty || !isOld else { throw .malformed("a transfer coding in HTTP/1.0") }
        guard codings.isEmpty || lengths.isEmpty else { throw .malformed("a length beside a transfer coding") }
        guard codings.allSatisfy({ $0 == "chunked" }), codings.count <= 1 else {
            throw .unsupported(status: 501, "the transfer coding \(codings.joined(separator: ", "))")
        }
        if let length = lengths.first.flatMap(Int.init), length > bodyLimitBytes { throw .bodyTooLarge(limitBytes: bodyLimitBytes) }
        guard head.method != .CONNECT else { throw .unsupported(status: 501, "no tunnels") }
        if let expected = head.headers.first(name: "expect"), !isOld {
            guard expected.lowercased() == "100-continue" else { throw .unsupported(status: 417, "expects \(expected.prefix(40))") }
            interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        }
        let target = try HTTPChannel.target(head.uri)
        var request = Request(head.method.rawValue, target.path, headers: head.headers.map { ($0.name, $0.value) })
        request.host = (target.host ?? hosts.first).map(HTTPChannel.withoutPort)
        let mayHaveContent = head.method != .GET && head.method != .HEAD
        request.hasStrayContent = !mayHaveContent && (!codings.isEmpty || lengths.contains { $0 != "0" })
        request.isLast = isOld || !head.isKeepAlive || request.hasStrayContent
        return request
    }

    /// Of a request's target (RFC 9112 section 3.2): `/path?query`, the same behind a scheme and a host, or `*`.
    private static func target(_ target: String) throws(HTTPError) -> (host: String?, path: String) {
        guard target.utf8.count <= 8000 else { throw .unsupported(status: 414, "a target of \(target.utf8.count) bytes") }
        // Fragments are the client's own (RFC 3986 section 3.5).
        guard !target.contains("#") else { throw .malformed("a fragment in a target") }
        if target == "*" || target.hasPrefix("/") { return (nil, String(target.prefix { $0 != "?" })) }
        guard let absolute = target.wholeMatch(of: /(?i:https?):\/\/(?<host>[^\/?]+)(?<path>[^?]*)(?:[?].*)?/) else {
            throw .malformed("a target that is no path")
        }
        return (String(absolute.host), absolute.path.isEmpty ? "/" : String(absolute.path))
    }

    /// `[::1]` of `[::1]:80`.
    private static func withoutPort(_ host: String) -> String {
        let end = host.lastIndex(of: "]") ?? host.startIndex
        return host[end...].firstIndex(of: ":").map { String(host[..<$0]) } ?? host
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
