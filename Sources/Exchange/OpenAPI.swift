import Formats
import Wire

/// OpenAPI 3.1.0 documents. Sorted, so that the same interface is described by the same bytes.
enum OpenAPI {
    static func document<ID>(title: String, _ operations: [Operation<ID>], refusal: Representation) -> [UInt8] {
        let paths = Dictionary(grouping: operations, by: \.path).mapValues { here in
            JSONValue.object(Dictionary(uniqueKeysWithValues: here.map { ($0.method.lowercased(), describe($0, refusal: refusal)) }))
        }
        return JSON.encode(
            JSONValue.object([
                "info": .object(["title": .string(title), "version": .string("1")]), "openapi": .string("3.1.0"), "paths": .object(paths),
            ]))
    }

    private static func describe<ID>(_ operation: Operation<ID>, refusal: Representation) -> JSONValue {
        var parameters = operation.path.split(separator: "/").filter { $0.first == "{" }.map { part in
            let name = String(part.dropFirst().dropLast())
            return parameter(name, in: "path", operation.parameters[name] ?? #"{"type":"string","minLength":1}"#)
        }
        parameters += operation.headers.sorted { $0.key < $1.key }.map { parameter($0, in: "header", $1) }
        var responses: [String: JSONValue] = [
            "default": .object(["description": .string("Why not."), "content": content(refusal)])
        ]
        for (status, holds) in operation.responses {
            var response: [String: JSONValue] = ["description": .string("Done.")]
            response["content"] = holds.map(content)
            responses["\(status)"] = .object(response)
        }
        var fields: [String: JSONValue] = [
            "operationId": .string("\(operation.method) \(operation.path)"), "summary": .string(operation.summary),
            "responses": .object(responses),
        ]
        if !parameters.isEmpty { fields["parameters"] = .array(parameters) }
        if let request = operation.request { fields["requestBody"] = .object(["content": content(request), "required": .bool(true)]) }
        return .object(fields)
    }

    private static func parameter(_ name: String, in place: String, _ schema: String) -> JSONValue {
        .object(["in": .string(place), "name": .string(name), "required": .bool(true), "schema": parsed(schema)])
    }

    private static func content(_ content: Representation) -> JSONValue {
        .object([content.mediaType: .object(["schema": parsed(content.schema)])])
    }

    /// Schemas stand in the program: one that is no JSON is a mistake in it.
    private static func parsed(_ schema: String) -> JSONValue {
        guard let value = JSON.decode(JSONValue.self, Array(schema.utf8)) else { preconditionFailure("no JSON: \(schema)") }
        return value
    }
}
