public import TPMEvidence

/// TPM_RC: what a TPM answers in place of doing it (TPM 2.0 Library part 2, section 6.6).
public struct TPMResponseCode: Error, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// What the code is about, where it says so.
    public enum Place: Hashable, Sendable { case parameter(Int), handle(Int), session(Int) }

    private var isFormatOne: Bool { rawValue & 0x080 != 0 && rawValue & ~0xFFF == 0 }

    public var place: Place? {
        guard isFormatOne else { return nil }
        let number = Int(rawValue >> 8 & 7)
        if rawValue & 0x040 != 0 { return .parameter(Int(rawValue >> 8 & 15)) }
        if number == 0 { return nil }
        return rawValue & 0x800 != 0 ? .session(number) : .handle(number)
    }

    /// The code without what it is about.
    public var base: TPMResponseCode { isFormatOne ? TPMResponseCode(rawValue & 0x0BF) : self }

    /// As the specification names it; the number for one that it does not.
    public var name: String { TPMResponseCode.names[base.rawValue].map { "TPM_RC_\($0)" } ?? "0x\(String(rawValue, radix: 16))" }

    public var description: String {
        switch place {
        case .parameter(let number): "\(name) (parameter \(number))"
        case .handle(let number): "\(name) (handle \(number))"
        case .session(let number): "\(name) (session \(number))"
        case nil: name
        }
    }

    public static let initialize = TPMResponseCode(0x100)
    public static let failure = TPMResponseCode(0x101)
    public static let commandSize = TPMResponseCode(0x142)
    public static let commandCode = TPMResponseCode(0x143)
    public static let policy = TPMResponseCode(0x126)
    public static let pcrChanged = TPMResponseCode(0x128)
    public static let nvUninitialized = TPMResponseCode(0x14A)
    public static let nvDefined = TPMResponseCode(0x14C)
    public static let value = TPMResponseCode(0x084)
    public static let handle = TPMResponseCode(0x08B)
    public static let size = TPMResponseCode(0x095)
    public static let policyFail = TPMResponseCode(0x09D)
    public static let integrity = TPMResponseCode(0x09F)
    public static let lockout = TPMResponseCode(0x921)

    static let names: [UInt32: String] = [
        0x01E: "BAD_TAG",
        0x100: "INITIALIZE", 0x101: "FAILURE", 0x103: "SEQUENCE", 0x10B: "PRIVATE", 0x119: "HMAC", 0x120: "DISABLED",
        0x121: "EXCLUSIVE", 0x124: "AUTH_TYPE", 0x125: "AUTH_MISSING", 0x126: "POLICY", 0x127: "PCR", 0x128: "PCR_CHANGED",
        0x12D: "UPGRADE", 0x12E: "TOO_MANY_CONTEXTS", 0x12F: "AUTH_UNAVAILABLE", 0x130: "REBOOT", 0x131: "UNBALANCED",
        0x142: "COMMAND_SIZE", 0x143: "COMMAND_CODE", 0x144: "AUTHSIZE", 0x145: "AUTH_CONTEXT", 0x146: "NV_RANGE",
        0x147: "NV_SIZE", 0x148: "NV_LOCKED", 0x149: "NV_AUTHORIZATION", 0x14A: "NV_UNINITIALIZED", 0x14B: "NV_SPACE",
        0x14C: "NV_DEFINED", 0x150: "BAD_CONTEXT", 0x151: "CPHASH", 0x152: "PARENT", 0x153: "NEEDS_TEST", 0x154: "NO_RESULT",
        0x155: "SENSITIVE",
        0x081: "ASYMMETRIC", 0x082: "ATTRIBUTES", 0x083: "HASH", 0x084: "VALUE", 0x085: "HIERARCHY", 0x087: "KEY_SIZE", 0x088: "MGF",
        0x089: "MODE", 0x08A: "TYPE", 0x08B: "HANDLE", 0x08C: "KDF", 0x08D: "RANGE", 0x08E: "AUTH_FAIL", 0x08F: "NONCE", 0x090: "PP",
        0x092: "SCHEME", 0x095: "SIZE", 0x096: "SYMMETRIC", 0x097: "TAG", 0x098: "SELECTOR", 0x09A: "INSUFFICIENT",
        0x09B: "SIGNATURE", 0x09C: "KEY", 0x09D: "POLICY_FAIL", 0x09F: "INTEGRITY", 0x0A0: "TICKET", 0x0A1: "RESERVED_BITS",
        0x0A2: "BAD_AUTH", 0x0A3: "EXPIRED", 0x0A4: "POLICY_CC", 0x0A5: "BINDING", 0x0A6: "CURVE", 0x0A7: "ECC_POINT",
        0x901: "CONTEXT_GAP", 0x902: "OBJECT_MEMORY", 0x903: "SESSION_MEMORY", 0x904: "MEMORY", 0x905: "SESSION_HANDLES",
        0x906: "OBJECT_HANDLES", 0x907: "LOCALITY", 0x908: "YIELDED", 0x909: "CANCELED", 0x90A: "TESTING",
        0x910: "REFERENCE_H0", 0x911: "REFERENCE_H1", 0x912: "REFERENCE_H2", 0x913: "REFERENCE_H3", 0x914: "REFERENCE_H4",
        0x915: "REFERENCE_H5", 0x916: "REFERENCE_H6", 0x918: "REFERENCE_S0", 0x919: "REFERENCE_S1", 0x91A: "REFERENCE_S2",
        0x91B: "REFERENCE_S3", 0x91C: "REFERENCE_S4", 0x91D: "REFERENCE_S5", 0x91E: "REFERENCE_S6", 0x920: "NV_RATE",
        0x921: "LOCKOUT", 0x922: "RETRY", 0x923: "NV_UNAVAILABLE",
    ]
}

/// Why a command to a TPM came to nothing.
public enum TPMError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The TPM refused it.
    case refused(TPMResponseCode)
    /// What came back is no response to it.
    case response(TPMParseError)
    /// A value that it would be given is missing or too long.
    case argument

    public var description: String {
        switch self {
        case .refused(let code): "the TPM refused: \(code)"
        case .response(let error): "the TPM's response is none: \(error)"
        case .argument: "a value for the TPM is missing or too long"
        }
    }

    /// The TPM's code without what it is about.
    public var code: TPMResponseCode? { if case .refused(let code) = self { code.base } else { nil } }
}
