import Foundation
import Testing

@testable import Exchange

@Suite struct OperationsTests {
    private enum Name { case list, item, make }

    private let operations = Operations<Name>(
        title: "A \"test\"",
        [
            .init(.list, "GET", "/items", "All.", responses: [200: nil]),
            .init(.item, "GET", "/items/{name}", "One.", responses: [200: .json(#"{"type":"object"}"#)]),
            .init(.make, "POST", "/items/{name}", "Makes.", headers: ["x-a": "{}"], request: .json("{}"), responses: [200: nil]),
        ], refusal: .json("{}"))

    private func answer(_ method: String, _ path: String) -> (status: Int?, found: String, allow: String?) {
        switch operations.match(Request(method, path), refuse: { Response($0, body: Array($1.utf8)) }) {
        case .operation(let name, let values): (nil, "\(name) \(values.joined(separator: ","))", nil)
        case .answered(let response): (response.status, "", response.headers.first { $0.name == "allow" }?.value)
        }
    }

    /// RFC 9110 sections 9.1 and 15.5.6: an unknown resource, a method that it has not (with those that it has), a HEAD.
    @Test func resourcesAndMethods() {
        #expect(answer("GET", "/items").found == "list ")
        #expect(answer("HEAD", "/items/a%2Fb%20c").found == "item a/b c")
        #expect(answer("POST", "/items/%zz").found == "make %zz")
        #expect(answer("DELETE", "/items/a") == (405, "", "GET, HEAD, OPTIONS, POST"))
        #expect(answer("OPTIONS", "/items") == (204, "", "GET, HEAD, OPTIONS"))
        #expect(answer("OPTIONS", "*") == (204, "", nil))
        #expect(answer("GET", "/") == (404, "", nil) && answer("GET", "/items/a/b").status == 404)
    }

    @Test func theDescriptionIsOpenAPI() throws {
        guard case .answered(let response) = operations.match(Request("GET", "/openapi.json"), refuse: { status, _ in Response(status) })
        else { return #expect(Bool(false)) }
        let document = try #require(try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        #expect(document["openapi"] as? String == "3.1.0" && paths.keys.sorted() == ["/items", "/items/{name}"])
        let parameters = paths["/items/{name}"]?["post"]?["parameters"] as? [[String: Any]]
        #expect(parameters?.compactMap { $0["name"] as? String } == ["name", "x-a"])
    }
}
