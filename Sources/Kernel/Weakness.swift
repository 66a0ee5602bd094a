/// Weaknesses of the original's OS that were found and published (azure-sphere §5.3): each is in the code that it concerns, and
/// there as long as the OS is older than its fix.
public enum Weakness: String, Sendable, CaseIterable {
    /// /proc/self/mem lets a program rewrite pages that it may not write.
    case procMemory = "A-01"
    /// So does /proc/thread-self/mem, which the first fix forgot.
    case threadMemory = "A-02"
    /// So does /proc/self/task/<tid>/mem.
    case taskMemory = "A-03"
    /// personality(READ_IMPLIES_EXEC) makes what is readable executable.
    case readImpliesExecute = "A-04"
    /// Everybody may read the kernel's log, with addresses in it.
    case kernelLog = "A-18"
    /// The quota of the mutable file is not enforced.
    case storageQuota = "A-21"
    /// Random bytes are missing at the end of lengths that are no multiple of four.
    case randomFill = "A-29"

    /// The OS release that does not have it any more; where the source names none, the one after the finding.
    var fixedIn: String {
        switch self {
        case .procMemory, .kernelLog, .randomFill: "20.07"
        case .threadMemory: "20.11"
        case .taskMemory: "20.08"
        case .readImpliesExecute, .storageQuota: "20.12"
        }
    }

    /// What an OS of a version such as `20.06` has; releases are years and months, in the order of text.
    public static func present(in version: String) -> Set<Weakness> { Set(allCases.filter { version < $0.fixedIn }) }
}
