import SecureChannel
import TPM
import TPMEvidence
import Testing
import Wire

/// Quotes, as our verifier and Debian's see them.
@Suite struct QuoteTests {
    static let nonce = [UInt8](0..<32)
    static let selection = PCRSelection([0, 1, 4, 7])

    /// A board that has booted something, its key as the verifier knows it, and a quote.
    struct Quoted {
        let board: Board
        let key: EnrolledAttestationKey
        let quote: Quote
        let values: PCRValues

        init(_ name: String = "board", nonce: [UInt8] = QuoteTests.nonce) throws {
            board = try Board(name)
            let key = try board.stack.takeOwnership().attestationKey
            self.key = try EnrolledAttestationKey(
                publicArea: key, qualifiedName: try board.stack.qualifiedName(of: TPMStack.Persistent.attestationKey))
            try board.stack.extend(4, sha256([1, 2, 3]))
            quote = try board.stack.quote(TPMStack.Persistent.attestationKey, nonce: nonce, selection)
            values = try board.stack.registers(selection)
        }

        func appraise(
            _ other: Quote? = nil, nonce: [UInt8] = QuoteTests.nonce, selection: PCRSelection = QuoteTests.selection,
            values: PCRValues? = nil, after last: TPMClockInfo? = nil
        ) throws(QuoteRefusal) -> QuoteStatement {
            try key.appraise(other ?? quote, nonce: nonce, selection: selection, values: values ?? self.values, after: last)
        }
    }

    @Test func itIsTaken() throws {
        let quoted = try Quoted()
        let statement = try quoted.appraise()
        #expect(statement.clockInfo == (try quoted.board.stack.clock().info))
        #expect(statement.firmwareVersion >> 32 == 0x2019_1023)
    }

    /// Debian's tpm2_checkquote takes a quote of ours, and none for another nonce, of another key or with another byte.
    @Test func debianTakesIt() async throws {
        let (quoted, other) = (try Quoted(), try Quoted("other"))
        func check(_ quote: Quote, _ key: EnrolledAttestationKey, _ nonce: [UInt8]) async throws -> Bool {
            let board = quoted.board
            return try await board.tool(
                "tpm2_checkquote",
                [
                    "-u", try board.write(Array(#require(key.publicArea.key).pem.utf8), "ak.pem"), "-m",
                    try board.write(quote.statement, "quote"),
                    "-s", try board.write(quote.signature, "signature"), "-g", "sha256", "-q", nonce.hex,
                ]
            ).isGood
        }
        #expect(try await check(quoted.quote, quoted.key, Self.nonce))
        #expect(try await !check(quoted.quote, quoted.key, Self.nonce.reversed()))
        #expect(try await !check(quoted.quote, other.key, Self.nonce))
        var changed = quoted.quote
        changed.statement[changed.statement.count - 1] ^= 1
        #expect(try await !check(changed, quoted.key, Self.nonce))
    }

    @Test func eachRefusalIsItsOwn() throws {
        let (quoted, other) = (try Quoted(), try Quoted("other"))
        #expect(throws: QuoteRefusal.nonce) { try quoted.appraise(nonce: Self.nonce.reversed()) }
        #expect(throws: QuoteRefusal.selection) { try quoted.appraise(selection: PCRSelection([0, 1, 4])) }
        var values = quoted.values
        values[4] = sha256([9])
        #expect(throws: QuoteRefusal.registers) { try quoted.appraise(values: values) }
        #expect(throws: QuoteRefusal.registers) { try quoted.appraise(values: PCRValues()) }
        #expect(throws: QuoteRefusal.anotherKey) { try quoted.appraise(other.quote) }
        var changed = quoted.quote
        changed.statement[changed.statement.count - 1] ^= 1
        #expect(throws: QuoteRefusal.signature) { try quoted.appraise(changed) }
        // A key that the verifier has never had a quote of.
        let unnamed = try EnrolledAttestationKey(publicArea: quoted.key.publicArea)
        #expect(throws: QuoteRefusal.signature) {
            try unnamed.appraise(other.quote, nonce: Self.nonce, selection: Self.selection, values: other.values)
        }
        changed = quoted.quote
        changed.statement[0] = 0
        #expect(throws: QuoteRefusal.statement(.value(field: "magic", 0x0054_4347))) { try quoted.appraise(changed) }
        changed = quoted.quote
        changed.statement[5] = 0x17
        #expect(throws: QuoteRefusal.statement(.value(field: "type", 0x8017))) { try quoted.appraise(changed) }
        changed.statement = Array(quoted.quote.statement.dropLast())
        #expect(throws: QuoteRefusal.statement(.short)) { try quoted.appraise(changed) }
        changed = quoted.quote
        changed.signature.append(0)
        #expect(throws: QuoteRefusal.signatureForm(.trailing(1))) { try quoted.appraise(changed) }
    }

    /// A key that would sign anything proves nothing about registers.
    @Test func onlyAnAttestationKeyCounts() throws {
        let board = try Board()
        let keys = try board.stack.takeOwnership()
        #expect(throws: QuoteRefusal.notAttestationKey) { try EnrolledAttestationKey(publicArea: keys.tlsKey) }
        // The TPM itself does not let the attestation key sign what looks like a quote.
        #expect(throws: TPMError.self) { try board.stack.sign(TPMStack.Persistent.attestationKey, digest: sha256([1])) }
    }

    /// The TPM's state is put back, with the keys in it: its counters give it away.
    @Test func stateThatWasPutBackIsSeen() throws {
        let quoted = try Quoted()
        let state = try #require(try quoted.board.store.load())
        try quoted.board.cutPower()
        try quoted.board.cutPower(generation: 2)
        try quoted.board.stack.extend(4, sha256([1, 2, 3]))
        func answer() throws -> Quote {
            try quoted.board.stack.quote(TPMStack.Persistent.attestationKey, nonce: Self.nonce, Self.selection)
        }
        let last = try quoted.appraise(try answer()).clockInfo
        #expect(last.resetCount == 3)
        #expect(try quoted.appraise(try answer(), after: last).clockInfo == last)
        try quoted.board.store.store(state)
        try quoted.board.cutPower(generation: 3)
        try quoted.board.stack.extend(4, sha256([1, 2, 3]))
        let older = try answer()
        #expect(throws: QuoteRefusal.wentBack) { try quoted.appraise(older, after: last) }
        #expect(throws: Never.self) { try quoted.appraise(older) }
    }
}
