import Formats

/// What a vendor got wrong in an OS: the code that it releases is really like that, and devices find out by starting it.
public enum SystemDefect: String, Sendable, CaseIterable {
    /// There is no code where it should begin.
    case noBoot = "no-boot"
    /// It starts, and stops answering.
    case hangs
    /// It has no network.
    case noNetwork = "no-network"
    /// It never asks for certificates, so that nobody can tell what runs.
    case failsProof = "fails-proof"
    /// It loses memory, so slowly that it has long been proven when there is none left.
    case slowLeak = "slow-leak"

    /// 18 hours until a mebibyte is gone.
    private static let leakBytesPerSecond: Int64 = 16

    func spoil(_ code: inout StageCode) {
        switch self {
        case .noBoot: break
        case .hangs: code.stopsAfterSeconds = 0
        case .noNetwork: code.lacks = [.network]
        case .failsProof: code.lacks = [.attester]
        case .slowLeak: code.leaksBytesPerSecond = SystemDefect.leakBytesPerSecond
        }
    }
}
