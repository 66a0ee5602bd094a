import SecureChannel

/// What a request or a response holds.
public struct Representation: Sendable {
    public var mediaType: String
    /// JSON Schema (draft 2020-12), as OpenAPI 3.1 has it.
    public var schema: String

    public init(_ mediaType: String, _ schema: String = "{}") { (self.mediaType, self.schema) = (mediaType, schema) }

    public static func json(_ schema: String) -> Representation { Representation("application/json", schema) }
}

/// One thing that an HTTP interface does: where it is, and what OpenAPI 3.1 says of it.
public struct Operation<ID: Sendable>: Sendable {
    public var id: ID
    public var method: String
    /// Such as `/messages/{topic}`: a name in braces stands for one part that is not empty.
    public var path: String
    public var summary: String
    /// JSON Schema of parts of the path by name, and of headers that must be there.
    public var parameters: [String: String]
    public var headers: [String: String]
    public var request: Representation?
    /// What it answers if it does as it was asked, by status; every other status comes with a refusal.
    public var responses: [Int: Representation?]

    public init(
        _ id: ID, _ method: String, _ path: String, _ summary: String, parameters: [String: String] = [:],
        headers: [String: String] = [:], request: Representation? = nil, responses: [Int: Representation?]
    ) {
        self.id = id
        self.method = method
        self.path = path
        self.summary = summary
        self.parameters = parameters
        self.headers = headers
        self.request = request
        self.responses = responses
    }

    /// The values of the names in its path, in their order; nil if it is another path.
    func values(in parts: [String]) -> [String]? {
        let own = path.split(separator: "/")
        guard own.count == parts.count else { return nil }
        var values: [String] = []
        for (word, part) in zip(own, parts) {
            if word.first == "{" { values.append(part) } else if word != part { return nil }
        }
        return values
    }
}

/// All that an HTTP interface does, found by method and path (RFC 9110 sections 9 and 15.5), and its description.
public struct Operations<ID: Sendable>: Sendable {
    public enum Match {
        /// With the values of the names in its path.
        case operation(ID, values: [String])
        case answered(Response)
    }

    public static var descriptionPath: String { "/openapi.json" }

    private let all: [Operation<ID>]
    private let description: [UInt8]

    /// - Parameter refusal: What a response holds that says no.
    public init(title: String, _ all: [Operation<ID>], refusal: Representation) {
        self.all = all
        description = OpenAPI.document(title: title, all, refusal: refusal)
    }

    /// - Parameter refuse: What says no, with this status and in these words.
    public func match(_ request: Request, refuse: (Int, String) -> Response) -> Match {
        // RFC 9110 section 9.3.7: of the server as a whole.
        if request.path == "*", request.method == "OPTIONS" { return .answered(Response(204)) }
        let parts = request.path.split(separator: "/").map(percentDecoded)
        let here = all.compactMap { operation in operation.values(in: parts).map { (operation, $0) } }
        var allowed = Set(here.map(\.0.method))
        let isDescription = request.path == Operations.descriptionPath
        if isDescription { allowed.insert("GET") }
        guard !allowed.isEmpty else { return .answered(refuse(404, "no such resource")) }
        if allowed.contains("GET") { allowed.insert("HEAD") }
        // A HEAD is a GET whose content is not sent.
        let method = request.method == "HEAD" ? "GET" : request.method
        if isDescription, method == "GET" { return .answered(Response(200, body: description)) }
        if let (operation, values) = here.first(where: { $0.0.method == method }) { return .operation(operation.id, values: values) }
        let allow = Response.Header("allow", (allowed.union(["OPTIONS"])).sorted().joined(separator: ", "))
        if method == "OPTIONS" { return .answered(Response(204, headers: [allow])) }
        var response = refuse(405, "\(method.prefix(24)) is not for this resource")
        response.headers.append(allow)
        return .answered(response)
    }
}

/// A part of a path (RFC 3986 section 2.1); what is not well formed stays as it is.
private func percentDecoded(_ part: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(part.utf8)[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%"), rest.count >= 2, let value = [UInt8](hex: String(decoding: rest.prefix(2), as: UTF8.self))?.first
        else {
            bytes.append(byte)
            continue
        }
        bytes.append(value)
        rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self) ?? String(part)
}
