import Testing
import Wire

@testable import Exchange

/// A server on one plain connection, at 08:49:37 on 6 November 1994 (RFC 9110's own example of a date).
private struct Server {
    private var pool = ServerPool(pair: nil, bodyLimitBytes: 1000, hosts: ["x", "h"])
    private let stream = StreamID(raw: 1)
    private(set) var isClosed = false

    init() { _ = handle(.accepted(stream, port: 80, from: Endpoint(Address(bits: 1), 1000))) }

    private mutating func handle(_ event: Event) -> String {
        var out = Outbox(now: .start)
        pool.handle(
            event, locale: Locale(unixSeconds: 784_111_777, cost: .server), &out, security: { _ in .plain },
            answer: { request, _, _ in
                request.path == "/none"
                    ? Response(405)
                    : .content(Array("\(request.method) \(request.path) \(request.body.count)".utf8), "text/plain", for: request)
            })
        var text = ""
        for effect in out.effects {
            switch effect.action {
            case .send(_, let bytes): text += String(decoding: bytes, as: UTF8.self)
            case .close: isClosed = true
            default: break
            }
        }
        return text
    }

    /// What comes back for these lines; `|` ends a line.
    mutating func send(_ text: String) -> String { handle(.received(stream, Array(text.replacing("|", with: "\r\n").utf8))) }
}

@Suite struct HTTPRuleTests {
    private func status(_ text: String) -> Int? {
        var server = Server()
        return server.send(text).firstMatch(of: /^HTTP\/1\.1 (\d+)/).flatMap { Int($0.1) }
    }

    /// RFC 9110 section 6.6.1 and 8.6, RFC 9112 section 9.3: dated, of a stated length, and the connection stays open.
    @Test func aResponseSaysWhenAndHowMuch() {
        var server = Server()
        let answer = server.send("GET /a?b=c HTTP/1.1|Host: x||")
        #expect(answer.contains("date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), "\(answer)")
        #expect(answer.contains("content-length: 8\r\n") && answer.hasSuffix("\r\n\r\nGET /a 0"), "\(answer)")
        #expect(!server.isClosed)
        #expect(server.send("POST /b HTTP/1.1|Host: x|Content-Length: 2||hi").hasSuffix("POST /b 2"))
        #expect(HTTPDate.text(951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(HTTPDate.text(.max) == "Fri, 31 Dec 9999 23:59:59 GMT" && HTTPDate.text(.min) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    /// RFC 9112 section 3.2: one host in each request of version 1.1; 3.2.2: a target with scheme and host.
    @Test(arguments: [
        ("GET / HTTP/1.1||", 400), ("GET / HTTP/1.1|Host: a|Host: b||", 400), ("GET / HTTP/1.1|Host: a b||", 400),
        ("GET / HTTP/1.1|Host: a/b||", 400), ("GET / HTTP/1.1|Host: [::1]:80||", 200), ("GET / HTTP/1.1|Host:||", 200),
        ("GET / HTTP/1.0||", 200), ("GET http://h:80/p HTTP/1.1|Host: x||", 200), ("GET ftp://h/p HTTP/1.1|Host: x||", 400),
        ("GET /p#f HTTP/1.1|Host: x||", 400),
    ]) func hosts(text: String, expected: Int) { #expect(status(text) == expected) }

    /// RFC 9110 section 7.4: a name that the server does not go by.
    @Test(arguments: [
        ("GET / HTTP/1.1|Host: evil.example||", 421), ("GET http://evil.example/ HTTP/1.1|Host: x||", 421),
        ("GET http://H:80/ HTTP/1.1|Host: evil.example||", 200), ("GET / HTTP/1.1|Host: X.:80||", 200),
        ("GET / HTTP/1.1|Host: 127.0.0.1:4000||", 200), ("GET / HTTP/1.1|Host: [::1]||", 200), ("GET / HTTP/1.1|Host: 1.evil||", 421),
    ]) func requestsForOthersAreRefused(text: String, expected: Int) { #expect(status(text) == expected) }

    /// Section 9.3.1: content in a GET is refused as soon as its head is there, and the connection ends; that there is no GET comes first.
    @Test(arguments: [
        ("GET /a HTTP/1.1|Host: x|Content-Length: 1||", 400), ("HEAD /a HTTP/1.1|Host: x|Transfer-Encoding: chunked||", 400),
        ("GET /none HTTP/1.1|Host: x|Content-Length: 4||null", 405),
    ]) func contentInAGetIsRefused(text: String, expected: Int) {
        var server = Server()
        let answer = server.send(text)
        #expect(answer.hasPrefix("HTTP/1.1 \(expected) ") && answer.contains("connection: close") && server.isClosed, "\(answer)")
        var good = Server()
        #expect(good.send("GET /a HTTP/1.1|Host: x|Content-Length: 0||").hasSuffix("GET /a 0") && !good.isClosed)
    }

    @Test func anAbsoluteTargetIsItsPath() {
        var server = Server()
        #expect(server.send("GET HTTP://h:80/p/q?x HTTP/1.1|Host: x||").hasSuffix("GET /p/q 0"))
        #expect(server.send("GET http://h HTTP/1.1|Host: x||").hasSuffix("GET / 0"))
    }

    /// RFC 9112 section 9.3 and 9.6.
    @Test(arguments: ["GET / HTTP/1.1|Host: x|Connection: close||", "GET / HTTP/1.0||", "GET / HTTP/1.0|Connection: keep-alive||"])
    func whatIsLastIsLast(text: String) {
        var server = Server()
        let answer = server.send(text + "GET /next HTTP/1.1|Host: x||")
        #expect(answer.contains("connection: close\r\n") && answer.hasSuffix("GET / 0") && server.isClosed, "\(answer)")
    }

    /// RFC 9112 section 9.3.2: each request that came whole is answered, whatever comes behind it.
    @Test func whatCameBeforeGarbageIsAnswered() {
        var server = Server()
        let answer = server.send("POST /a HTTP/1.1|Host: x|Content-Length: 2||hiGET /b HTTP/1.1|Host: y|Host: z||")
        #expect(answer.contains("\r\n\r\nPOST /a 2HTTP/1.1 400 "), "\(answer)")
        #expect(server.isClosed)
    }

    /// RFC 9110 section 9.3.2: what a GET would say, without its content.
    @Test func headHasNoContent() {
        var server = Server()
        let answer = server.send("HEAD /a HTTP/1.1|Host: x||")
        #expect(answer.contains("content-length: 9\r\n") && answer.hasSuffix("\r\n\r\n"), "\(answer)")
        #expect(server.send("GET /b HTTP/1.1|Host: x||").hasSuffix("GET /b 0"))
    }

    /// RFC 9110 section 10.1.1.
    @Test func whoeverWaitsIsToldToGoOn() {
        var server = Server()
        #expect(server.send("POST / HTTP/1.1|Host: x|Content-Length: 2|Expect: 100-continue||") == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(server.send("hi").hasSuffix("POST / 2"))
        #expect(status("POST / HTTP/1.1|Host: x|Content-Length: 9999|Expect: 100-continue||") == 413)
        #expect(status("POST / HTTP/1.1|Host: x|Content-Length: 2|Expect: 200-maybe||") == 417)
    }

    /// RFC 9112 section 6.3 (a length beside a coding, two lengths), 6.1 (codings that nobody knows), 2.3; RFC 9110 section 15.6.
    @Test(arguments: [
        ("POST / HTTP/1.1|Host: x|Content-Length: 2|Transfer-Encoding: chunked||", 400),
        ("POST / HTTP/1.1|Host: x|Content-Length: 2|Content-Length: 3||", 400),
        ("POST / HTTP/1.1|Host: x|Content-Length: -1||", 400),
        ("POST / HTTP/1.0|Transfer-Encoding: chunked||", 400),
        ("POST / HTTP/1.1|Host: x|Transfer-Encoding: gzip, chunked||", 501),
        ("POST / HTTP/1.1|Host: x|Content-Length: 1001||", 413),
        ("BREW / HTTP/1.1|Host: x||", 501), ("CONNECT x:1 HTTP/1.1|Host: x||", 501), ("no http at all||", 400),
        ("GET / HTTP/2.0|Host: x||", 505), ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1|Host: x||", 414),
        ("GET / HTTP/1.1|Host: x|a: \(String(repeating: "a", count: 100_000))||", 431),
    ]) func whatIsNotUnderstoodIsRefusedByItsStatus(text: String, expected: Int) {
        #expect(status(text) == expected)
        var server = Server()
        _ = server.send(text)
        #expect(server.isClosed)
    }

    /// RFC 9110 section 14: `0123456789` in part.
    @Test(
        arguments: [
            ("bytes=2-4", 206, "234"), ("bytes=7-", 206, "789"), ("bytes=-3", 206, "789"), ("bytes=8-99", 206, "89"),
            ("Bytes=0-0", 206, "0"),
            ("bytes=10-", 416, ""), ("bytes=-0", 416, ""), ("bytes=4-2", 200, nil), ("bytes=1-2,4-5", 200, nil), ("lines=1-2", 200, nil),
            ("bytes=a-b", 200, nil), ("bytes=-", 200, nil), ("bytes=99999999999999999999-", 200, nil),
        ] as [(String, Int, String?)]) func ranges(header: String, status: Int, content: String?)
    {
        let whole = Array("0123456789".utf8)
        let answer = Response.content(whole, "text/plain", for: Request("GET", "/", headers: [("range", header)]))
        #expect(answer.status == status && answer.body == content.map { Array($0.utf8) } ?? whole)
        let range = answer.headers.first { $0.name == "content-range" }?.value
        #expect(status == 200 ? range == nil : range?.hasSuffix("/10") == true)
    }
}
