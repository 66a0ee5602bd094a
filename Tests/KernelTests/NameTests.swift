import Testing

@testable import Kernel

/// What programs hear of a look-up.
@Suite struct NameTests {
    /// For `b.test`, an address (RFC 1035 section 4.1).
    private static let question: [UInt8] =
        [0xAB, 0xCD, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1] + Array("b".utf8) + [4] + Array("test".utf8) + [0, 0, 1, 0, 1]

    /// That there is no such name is an answer (NXDOMAIN); that nobody has answered is another (SERVFAIL).
    @Test func noAnswerIsNotNoSuchName() throws {
        let question = try #require(DNSQuestion(Self.question))
        let (none, silent) = (question.answer(nil), question.failure)
        #expect(question.name == "b.test" && none[3] & 0xF == 3 && silent[3] & 0xF == 2)
        #expect(
            silent.starts(with: [0xAB, 0xCD]) && silent.count == Self.question.count && silent.dropFirst(12) == Self.question.dropFirst(12))
    }
}
