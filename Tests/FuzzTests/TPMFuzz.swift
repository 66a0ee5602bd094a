import SecureChannel
import TPM
import TPMEvidence
import Testing
import Wire

/// What TPMs say, and what is said to them.
@Suite struct TPMFuzz {
    /// Non-volatile memory in memory.
    private final class Memory: TPMStateStore {
        var state: [UInt8]?
        func load() throws(TPMStateRefusal) -> [UInt8]? { state }
        func store(_ state: [UInt8]) throws(TPMStateRefusal) { self.state = state }
    }

    /// Keeps what goes over the bus.
    private final class Listener: TPMTransport {
        let tpm: TrustedPlatformModule
        var (commands, responses): ([[UInt8]], [[UInt8]]) = ([], [])
        init(_ tpm: TrustedPlatformModule) { self.tpm = tpm }
        func transmit(_ command: [UInt8]) -> [UInt8] {
            commands.append(command)
            responses.append(tpm.transmit(command))
            return responses.last ?? []
        }
    }

    /// Answers whatever it is told.
    private final class Liar: TPMTransport {
        var answer: [UInt8] = []
        func transmit(_: [UInt8]) -> [UInt8] { answer }
    }

    private static func manufacture(_ memory: Memory) throws -> TrustedPlatformModule {
        try TrustedPlatformModule.manufacture(in: memory, draws: SeedStream(seed: 1, node: "fuzz", purpose: "tpm")) { .start }
    }

    /// All that is used of a TPM, once.
    private static func use(_ stack: TPMStack) throws {
        try stack.startup()
        _ = try stack.endorse { _ throws(CryptoError) in [UInt8](repeating: 1, count: 100) }
        let key = try stack.takeOwnership().attestationKey
        try stack.extend(1, sha256([1]))
        _ = try stack.event(1, [1])
        let selection = PCRSelection([0, 1])
        _ = try stack.quote(TPMStack.Persistent.attestationKey, nonce: [1], selection)
        _ = try stack.unseal(try stack.seal([1], to: selection), selection)
        let endorsementKey = try #require(try stack.publicArea(of: TPMStack.Persistent.endorsementKey).key)
        _ = try stack.activate(
            Credential([1], endorsementKey: endorsementKey, name: key.name), key: TPMStack.Persistent.attestationKey,
            endorsementKey: TPMStack.Persistent.endorsementKey)
        _ = (try stack.clock(), try stack.property(0x105), try stack.endorsementCertificate(), try stack.random(4))
        try stack.shutdown()
    }

    private static func talk() throws -> Listener {
        let listener = Listener(try manufacture(Memory()))
        try use(TPMStack(listener))
        return listener
    }

    @Test func structures() throws {
        let stack = TPMStack(try Self.manufacture(Memory()))
        try stack.startup()
        let key = try stack.takeOwnership().attestationKey
        let quote = try stack.quote(TPMStack.Persistent.attestationKey, nonce: [1], PCRSelection([0]))
        let sealed = try stack.seal([1], to: PCRSelection([0]))
        let samples = [key.encoded, quote.statement, quote.signature, sealed.encoded, TPMPublic.endorsementKey.encoded]
        let enrolled = try EnrolledAttestationKey(publicArea: key)
        try Fuzz.run("tpm-structures") { fuzz in
            let bytes = fuzz.mutated(samples)
            if let area = try? TPMPublic(bytes) {
                #expect(area.encoded == bytes)
                _ = (area.key, area.name)
            }
            _ = try? QuoteStatement(bytes)
            _ = try? TPMSignature(bytes)
            if let object = try? WrappedObject(bytes) { #expect(object.encoded == bytes) }
            let other = Quote(statement: fuzz.mutated([quote.statement]), signature: fuzz.mutated([quote.signature]))
            let isTaken = (try? enrolled.appraise(other, nonce: [1], selection: PCRSelection([0]), values: .atReset)) != nil
            #expect(!isTaken || other.statement == quote.statement)
        }
    }

    @Test func eventLogs() throws {
        let data = Array("StartupLocality\0".utf8) + [3]
        let log = EventLog([
            .init(register: 0, type: EventType.noAction, digest: [UInt8](repeating: 0, count: 32), data: data),
            .init(register: 4, type: EventType.separator, digest: sha256([0]), data: [0]),
        ])
        try Fuzz.run("event-log") { (fuzz: inout Fuzz) throws in
            guard let read = try? EventLog(fuzz.mutated([log.encoded, EventLog().encoded])) else { return }
            #expect(try EventLog(read.encoded) == read)
            _ = (read.values, read.falseEvents)
        }
    }

    /// A TPM, or somebody on its bus, who answers anything.
    @Test func responses() throws {
        let samples = try Self.talk().responses
        let liar = Liar()
        let stack = TPMStack(liar)
        let credential = Credential(blob: [0, 0], secret: [0, 0])
        let uses: [() throws -> Void] = [
            { _ = try stack.registers(PCRSelection(0..<24)) }, { _ = try stack.data(at: 1) }, { _ = try stack.clock() },
            { _ = try stack.quote(1, nonce: [], PCRSelection([])) }, { _ = try stack.takeOwnership() }, { _ = try stack.property(1) },
            { _ = try stack.activate(credential, key: 1, endorsementKey: 2) }, { _ = try stack.event(1, []) },
            { _ = try stack.sign(1, digest: []) },
            { _ = try stack.random(70_000) }, { _ = try stack.createPrimary(.owner, .storageRootKey) },
            { _ = try stack.qualifiedName(of: 1) },
        ]
        try Fuzz.run("tpm-response") { fuzz in
            liar.answer = fuzz.mutated(samples)
            try? fuzz.one(of: uses)()
        }
    }

    /// A program that says anything to the TPM: it answers, and others of the process are not touched.
    @Test func commands() throws {
        let samples = try Self.talk().commands
        let memory = Memory()
        var tpm: TrustedPlatformModule? = try Self.manufacture(memory)
        tpm = nil
        let state = memory.state
        try Fuzz.run("tpm-command") { (fuzz: inout Fuzz) throws in
            if tpm == nil || fuzz.isOne(in: 200) {
                tpm = nil
                memory.state = state
                tpm = try TrustedPlatformModule(store: memory, draws: fuzz.draws) { .start }
                try tpm.map { try TPMStack($0).startup() }
            }
            let command = fuzz.isOne(in: 3) ? fuzz.one(of: samples) : fuzz.mutated(samples)
            #expect((tpm?.transmit(command).count ?? 0) >= 10)
        }
    }

    /// State that is whole, and none that libtpms wrote: the file's digest stands before it, so this is the last ditch.
    @Test func state() throws {
        let memory = Memory()
        let tpm = try Self.manufacture(memory)
        try Self.use(TPMStack(tpm))
        let sample = try #require(memory.state)
        try Fuzz.run("tpm-state") { fuzz in
            let bad = Memory()
            bad.state = fuzz.mutated([sample])
            guard
                let other = try? TrustedPlatformModule(
                    store: bad, draws: SeedStream(seed: 2, node: "fuzz", purpose: "tpm"), clock: { .start })
            else { return }
            try? TPMStack(other).startup()
            _ = try? TPMStack(other).random(4)
        }
    }
}
