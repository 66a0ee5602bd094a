import TPMEvidence

/// What carries commands to a TPM: the TPM itself, or the bus with somebody on it.
public protocol TPMTransport: AnyObject {
    func transmit(_ command: [UInt8]) -> [UInt8]
}

/// TPM_CC (part 2, section 6.5.2), as far as it is used here.
enum TPMCommandCode: UInt32 {
    case evictControl = 0x120
    case clear = 0x126
    case nvDefineSpace = 0x12A
    case createPrimary = 0x131
    case nvWrite = 0x137
    case pcrEvent = 0x13C
    case incrementalSelfTest = 0x142
    case startup = 0x144
    case shutdown = 0x145
    case activateCredential = 0x147
    case nvRead = 0x14E
    case policySecret = 0x151
    case create = 0x153
    case load = 0x157
    case quote = 0x158
    case sign = 0x15D
    case unseal = 0x15E
    case flushContext = 0x165
    case nvReadPublic = 0x169
    case readPublic = 0x173
    case startAuthSession = 0x176
    case getCapability = 0x17A
    case getRandom = 0x17B
    case pcrRead = 0x17E
    case policyPCR = 0x17F
    case readClock = 0x181
    case pcrExtend = 0x182
}

/// One command as bytes (part 1, section 18).
struct TPMCommand {
    /// How a command is authorized: for each handle that needs it one.
    enum Authorization {
        /// The empty password, which all that is made here has.
        case empty
        /// A policy session; what it proves says who may.
        case policy(UInt32)
    }

    var code: TPMCommandCode
    var handles: [UInt32] = []
    var authorizations: [Authorization] = []
    var parameters: [UInt8] = []

    /// TPM_RS_PW.
    private static let passwordSession: UInt32 = 0x4000_0009

    var encoded: [UInt8] {
        let body = TPMWriter.make { w in
            for handle in handles { w.u32(handle) }
            if !authorizations.isEmpty {
                let area = TPMWriter.make { area in
                    for authorization in authorizations {
                        switch authorization {
                        case .empty: area.u32(TPMCommand.passwordSession)
                        case .policy(let session): area.u32(session)
                        }
                        area.sized([])
                        // continueSession: sessions are ended by name.
                        area.u8(1)
                        area.sized([])
                    }
                }
                w.u32(UInt32(area.count))
                w.put(area)
            }
            w.put(parameters)
        }
        return TPMWriter.make { w in
            w.u16(authorizations.isEmpty ? TPMResponse.noSessions : TPMResponse.sessions)
            w.u32(UInt32(body.count + 10))
            w.u32(code.rawValue)
            w.put(body)
        }
    }
}

/// A response of a TPM that did what it was told.
struct TPMResponse {
    static let noSessions: UInt16 = 0x8001
    static let sessions: UInt16 = 0x8002

    var handles: [UInt32] = []
    var parameters: TPMReader

    init(_ bytes: [UInt8], handleCount: Int) throws(TPMError) {
        let code: UInt32
        (parameters, code) = (TPMReader([]), try TPMResponse.code(of: bytes))
        guard code == 0 else { throw .refused(TPMResponseCode(code)) }
        do throws(TPMParseError) {
            var reader = TPMReader(bytes)
            let tag = try reader.u16()
            _ = try reader.bytes(8)
            for _ in 0..<handleCount { handles.append(try reader.u32()) }
            parameters = tag == TPMResponse.sessions ? TPMReader(try reader.bytes(Int(try reader.u32()))) : reader
        } catch { throw .response(error) }
    }

    private static func code(of bytes: [UInt8]) throws(TPMError) -> UInt32 {
        do throws(TPMParseError) {
            var reader = TPMReader(bytes)
            let tag = try reader.u16()
            let size = try reader.u32()
            guard Int(size) == bytes.count else { throw .value(field: "responseSize", UInt64(size)) }
            let code = try reader.u32()
            // The tag of a TPM 1.2 is there for a command that was none at all.
            guard code != 0 || tag == noSessions || tag == sessions else { throw .value(field: "tag", UInt64(tag)) }
            return code
        } catch { throw .response(error) }
    }

    /// What a TPM that cannot do anything answers.
    static func failure(_ code: TPMResponseCode) -> [UInt8] {
        TPMWriter.make { w in
            w.u16(noSessions)
            w.u32(10)
            w.u32(code.rawValue)
        }
    }
}
