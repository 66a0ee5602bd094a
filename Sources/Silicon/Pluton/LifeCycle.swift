/// How far a chip has come from the fab to the scrap heap (HW-20). Fuses remember it: there is no way back.
public enum SecurityState: Int, Sendable, Comparable, CaseIterable {
    case test, blank, secure, endOfLife

    public static func < (a: SecurityState, b: SecurityState) -> Bool { a.rawValue < b.rawValue }

    /// What evidence says of it (RFC 9783 section 4.3.1).
    var psaLifeCycle: Int64 {
        switch self {
        case .test, .blank: 0x1000  // assembly and test
        case .secure: 0x3000
        case .endOfLife: 0x6000  // decommissioned
        }
    }
}

/// How far the product around the chip has come (HW-21).
public enum ManufacturingState: UInt32, Sendable, Comparable, CaseIterable {
    case blank, module1Complete, deviceComplete

    public static func < (a: ManufacturingState, b: ManufacturingState) -> Bool { a.rawValue < b.rawValue }
}

extension FuseBank {
    private static let securityState = 97
    private static let manufacturingState = 98

    /// Each state is one more bit.
    public var securityState: SecurityState {
        SecurityState(rawValue: min(3, read(FuseBank.securityState..<FuseBank.securityState + 1)[0].nonzeroBitCount)) ?? .endOfLife
    }

    public var manufacturingState: ManufacturingState {
        let bits = read(FuseBank.manufacturingState..<FuseBank.manufacturingState + 1)[0].nonzeroBitCount
        return ManufacturingState(rawValue: UInt32(min(2, bits))) ?? .deviceComplete
    }

    /// False if that would be a step back.
    public func advance(to state: SecurityState) -> Bool {
        guard state >= securityState else { return false }
        burn(FuseBank.securityState, [UInt8((1 << state.rawValue) - 1)])
        return true
    }

    public func advance(to state: ManufacturingState) -> Bool {
        guard state >= manufacturingState else { return false }
        burn(FuseBank.manufacturingState, [UInt8((1 << state.rawValue) - 1)])
        return true
    }
}
