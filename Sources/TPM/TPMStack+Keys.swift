public import TPMEvidence

/// A key or sealed data as it lies outside of its TPM: only under the same parent it is anything.
public struct WrappedObject: Hashable, Sendable {
    public var publicArea: TPMPublic
    /// TPM2B_PRIVATE's content, encrypted by the parent.
    public var privateArea: [UInt8]

    public init(publicArea: TPMPublic, privateArea: [UInt8]) { (self.publicArea, self.privateArea) = (publicArea, privateArea) }

    /// For a file: both as TPM2B, one after the other.
    public var encoded: [UInt8] {
        TPMWriter.make { w in
            w.sized(publicArea.encoded)
            w.sized(privateArea)
        }
    }

    public init(_ bytes: [UInt8]) throws(TPMParseError) {
        var reader = TPMReader(bytes)
        publicArea = try TPMPublic(try reader.sized())
        privateArea = try reader.sized()
        try reader.end()
    }
}

/// What stands between a caller and a key or sealed data.
public enum TPMPolicySession: Hashable, Sendable {
    /// PolicySecret of the endorsement hierarchy, whose password is empty: the endorsement key's.
    case endorsement
    /// PolicyPCR: the registers are as they were when the policy was made.
    case registers(PCRSelection)
}

extension TPMStack {
    /// Opens a policy session, satisfies it, and ends it after `body`, whatever comes of that.
    func withPolicy<T>(
        _ policy: TPMPolicySession, _ body: (TPMCommand.Authorization) throws(TPMError) -> T
    ) throws(TPMError) -> T {
        let opened = try run(.startAuthSession, [Hierarchy.null.rawValue, Hierarchy.null.rawValue], returns: 1) { w in
            // Nothing is keyed with it, so the caller's nonce protects nothing; 16 bytes is the least.
            w.sized([UInt8](repeating: 0, count: 16))
            w.sized([])
            w.u8(1)
            w.u16(TPMAlgorithm.null)
            w.u16(TPMAlgorithm.sha256)
        }
        let session = opened.handles[0]
        do throws(TPMError) {
            switch policy {
            case .endorsement:
                try run(.policySecret, [Hierarchy.endorsement.rawValue, session], [.empty]) { w in
                    for _ in 0..<3 { w.sized([]) }
                    w.u32(0)
                }
            case .registers(let selection):
                try run(.policyPCR, [session]) { w in
                    w.sized([])
                    w.put(selection.encoded)
                }
            }
            let result = try body(.policy(session))
            try flush(session)
            return result
        } catch {
            try? flush(session)
            throw error
        }
    }

    /// Ends a session, or takes a key out of volatile memory.
    public func flush(_ handle: UInt32) throws(TPMError) { try run(.flushContext) { $0.u32(handle) } }

    // MARK: Making keys

    /// A key that follows from its hierarchy's seed and the template: the same each time.
    /// - Returns: Its handle, which the caller flushes.
    public func createPrimary(_ hierarchy: Hierarchy, _ template: TPMPublic) throws(TPMError) -> (handle: UInt32, publicArea: TPMPublic) {
        let response = try run(.createPrimary, [hierarchy.rawValue], [.empty], returns: 1) { put(creation: template, [], into: &$0) }
        return (response.handles[0], try read(response) { p throws(TPMParseError) in try TPMPublic(try p.sized()) })
    }

    /// A new key, or sealed data, under a parent.
    public func create(
        _ template: TPMPublic, data: [UInt8] = [], under parent: UInt32, policy: TPMPolicySession? = nil
    ) throws(TPMError) -> WrappedObject {
        let response = try authorized(policy) { authorization throws(TPMError) in
            try run(.create, [parent], [authorization]) { put(creation: template, data, into: &$0) }
        }
        return try read(response) { p throws(TPMParseError) in
            let privateArea = try p.sized()
            return WrappedObject(publicArea: try TPMPublic(try p.sized()), privateArea: privateArea)
        }
    }

    /// - Returns: Its handle, which the caller flushes.
    /// - Throws: ``TPMResponseCode/integrity`` if it is another parent's.
    public func load(_ object: WrappedObject, under parent: UInt32, policy: TPMPolicySession? = nil) throws(TPMError) -> UInt32 {
        let response = try authorized(policy) { authorization throws(TPMError) in
            try run(.load, [parent], [authorization], returns: 1) { w in
                w.sized(object.privateArea)
                w.sized(object.publicArea.encoded)
            }
        }
        return response.handles[0]
    }

    /// Makes a loaded key persistent, in place of any that was there, and takes it out of volatile memory.
    public func persist(_ handle: UInt32, at persistent: UInt32) throws(TPMError) {
        if (try? publicArea(of: persistent)) != nil {
            try run(.evictControl, [Hierarchy.owner.rawValue, persistent], [.empty]) { $0.u32(persistent) }
        }
        try run(.evictControl, [Hierarchy.owner.rawValue, handle], [.empty]) { $0.u32(persistent) }
        try flush(handle)
    }

    /// - Throws: ``TPMResponseCode/handle`` if there is no such key.
    public func publicArea(of handle: UInt32) throws(TPMError) -> TPMPublic {
        try read(try run(.readPublic, [handle])) { p throws(TPMParseError) in try TPMPublic(try p.sized()) }
    }

    /// The key's name with those of the keys above it, as quotes have it.
    public func qualifiedName(of handle: UInt32) throws(TPMError) -> [UInt8] {
        try read(try run(.readPublic, [handle])) { p throws(TPMParseError) in
            _ = try p.sized()
            _ = try p.sized()
            return try p.sized()
        }
    }

    private func put(creation template: TPMPublic, _ data: [UInt8], into w: inout TPMWriter) {
        w.sized(
            TPMWriter.make { sensitive in
                sensitive.sized([])
                sensitive.sized(data)
            })
        w.sized(template.encoded)
        w.sized([])
        w.u32(0)
    }

    private func authorized<T>(
        _ policy: TPMPolicySession?, _ body: (TPMCommand.Authorization) throws(TPMError) -> T
    ) throws(TPMError) -> T {
        if let policy { try withPolicy(policy, body) } else { try body(.empty) }
    }

    // MARK: Using keys

    /// TPM2_Quote: the registers' digest and the nonce, signed by an attestation key.
    /// - Parameter nonce: At most 32 bytes.
    public func quote(_ key: UInt32, nonce: [UInt8], _ selection: PCRSelection) throws(TPMError) -> Quote {
        let response = try run(.quote, [key], [.empty]) { w in
            w.sized(nonce)
            w.u16(TPMAlgorithm.null)
            w.put(selection.encoded)
        }
        return try read(response) { p throws(TPMParseError) in
            Quote(statement: try p.sized(), signature: try p.bytes(p.count))
        }
    }

    /// ECDSA by a key that is not restricted.
    /// - Parameter digest: 32 bytes.
    /// - Returns: 64 bytes, r then s.
    public func sign(_ key: UInt32, digest: [UInt8], policy: TPMPolicySession? = nil) throws(TPMError) -> [UInt8] {
        let response = try authorized(policy) { authorization throws(TPMError) in
            try run(.sign, [key], [authorization]) { w in
                w.sized(digest)
                w.u16(TPMAlgorithm.null)
                // No ticket: the key may sign what the TPM has not hashed.
                w.u16(0x8024)
                w.u32(Hierarchy.null.rawValue)
                w.sized([])
            }
        }
        return try read(response) { p throws(TPMParseError) in try TPMSignature(try p.bytes(p.count)).raw }
    }

    /// TPM2_ActivateCredential: the secret in a `Credential` that was made for this TPM and this key.
    /// - Throws: ``TPMResponseCode/value`` or ``TPMResponseCode/integrity`` if it was made for another.
    public func activate(_ credential: Credential, key: UInt32, endorsementKey: UInt32) throws(TPMError) -> [UInt8] {
        let response = try withPolicy(.endorsement) { authorization throws(TPMError) in
            try run(.activateCredential, [key, endorsementKey], [.empty, authorization]) { w in
                w.put(credential.blob)
                w.put(credential.secret)
            }
        }
        return try read(response) { p throws(TPMParseError) in try p.sized() }
    }

    // MARK: Sealing

    /// Data that opens only while the registers have these values.
    /// - Parameters:
    ///   - data: At most 128 bytes.
    ///   - values: What they will have; by default what they have.
    public func seal(
        _ data: [UInt8], to selection: PCRSelection, values: PCRValues? = nil, under parent: UInt32 = Persistent.storageRootKey
    ) throws(TPMError) -> WrappedObject {
        let values = if let values { values } else { try registers(selection) }
        guard data.count <= 128, !data.isEmpty, let policy = TPMPolicy.pcr(selection, values) else { throw .argument }
        return try create(.sealed(policy: policy), data: data, under: parent)
    }

    /// - Throws: ``TPMResponseCode/policyFail`` if the registers have other values.
    public func unseal(
        _ object: WrappedObject, _ selection: PCRSelection, under parent: UInt32 = Persistent.storageRootKey
    ) throws(TPMError) -> [UInt8] {
        let handle = try load(object, under: parent)
        defer { try? flush(handle) }
        let response = try withPolicy(.registers(selection)) { authorization throws(TPMError) -> TPMResponse in
            try run(.unseal, [handle], [authorization])
        }
        return try read(response) { p throws(TPMParseError) in try p.sized() }
    }
}
