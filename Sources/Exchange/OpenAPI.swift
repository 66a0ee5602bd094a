import FoundationEssentials
import Wire

/// OpenAPI 3.1.0 documents.
enum OpenAPI {
    static func document<ID>(title: String, _ operations: [Operation<ID>], refusal: Representation) -> [UInt8] {
        let paths = Dictionary(grouping: operations, by: \.path).mapValues { here in
            object(here.map { ($0.method.lowercased(), describe($0, refusal: refusal)) })
        }
        let document = object([
            ("info", object([("title", quoted(title)), ("version", quoted("1"))])), ("openapi", quoted("3.1.0")),
            ("paths", object(paths.map { ($0, $1) })),
        ])
        return Array(document.utf8)
    }

    private static func describe<ID>(_ operation: Operation<ID>, refusal: Representation) -> String {
        var parameters = operation.path.split(separator: "/").filter { $0.first == "{" }.map { part in
            let name = String(part.dropFirst().dropLast())
            return parameter(name, in: "path", operation.parameters[name] ?? #"{"type":"string","minLength":1}"#)
        }
        parameters += operation.headers.sorted { $0.key < $1.key }.map { parameter($0, in: "header", $1) }
        var fields: [(String, String)] = [
            ("operationId", quoted("\(operation.method) \(operation.path)")), ("summary", quoted(operation.summary)),
            ("responses", object(responses(operation, refusal: refusal))),
        ]
        if !parameters.isEmpty { fields.append(("parameters", "[\(parameters.joined(separator: ","))]")) }
        if let request = operation.request {
            fields.append(("requestBody", object([("content", content(request)), ("required", "true")])))
        }
        return object(fields)
    }

    private static func parameter(_ name: String, in place: String, _ schema: String) -> String {
        object([("in", quoted(place)), ("name", quoted(name)), ("required", "true"), ("schema", schema)])
    }

    private static func responses<ID>(_ operation: Operation<ID>, refusal: Representation) -> [(String, String)] {
        operation.responses.map { status, holds in
            ("\(status)", object([("description", quoted("Done."))] + (holds.map { [("content", content($0))] } ?? [])))
        } + [("default", object([("description", quoted("Why not.")), ("content", content(refusal))]))]
    }

    private static func content(_ content: Representation) -> String {
        object([(content.mediaType, object([("schema", content.schema)]))])
    }

    /// Sorted, so that the same interface is described by the same bytes.
    private static func object(_ fields: [(String, String)]) -> String {
        "{\(fields.sorted { $0.0 < $1.0 }.map { "\(quoted($0.0)):\($0.1)" }.joined(separator: ","))}"
    }

    private static func quoted(_ text: String) -> String { String(decoding: JSON.encode(text), as: UTF8.self) }
}
