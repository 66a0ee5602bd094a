public import DeviceServices
public import SecureChannel
public import Silicon

/// Keys lie behind the fuses, and hang on what has booted below apps.
extension Pluton: KeyStore {
    /// A seed, which may lie in flash (AS-5).
    public func newKey() -> [UInt8] { random(32) }
    public func key(_ name: [UInt8]) -> any SigningKey { clientAuthKey(seed: name) }
}

/// Evidence is a PSA attestation token (RFC 9783) over what was measured when the device started.
extension Pluton: AttestingEnvironment {
    /// Its public key is on the label.
    public var endorsement: Endorsement? { nil }
    public func evidence(for challenge: AttestationChallenge) -> Evidence {
        Evidence(mediaType: "application/eat+cwt", attest(nonce: challenge.nonce))
    }
}

extension RealTimeClock: HardwareClock {}
