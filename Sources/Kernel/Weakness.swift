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
    /// Device nodes inside an image package are honoured.
    case imageDevices = "A-07"
    /// The daemon that writes crash dumps follows links that an app has laid.
    case followedLinks = "A-08"
    /// The map of users may give an app the user of a system service.
    case duplicateUser = "A-09"
    /// The daemon that writes crash dumps may write anywhere.
    case powerfulDaemon = "A-10"
    /// Any app may switch any peripheral off.
    case peripheralSwitch = "A-13"
    /// Requests to Pluton may be begun without end, each with memory of the kernel's.
    case plutonFlood = "A-15"
    /// Pluton's driver is open to everybody, and its command's length unchecked: what is too long overwrites which key signs.
    case plutonOverflow = "A-16"
    /// Two threads' requests at once bring Pluton to a halt, and the device with it.
    case plutonRace = "A-17"
    /// Everybody may read the kernel's log, with addresses in it.
    case kernelLog = "A-18"
    /// The device tree may be mapped beyond its end.
    case treeMapping = "A-19"
    /// A socket between apps that was disconnected still writes to what was its peer.
    case staleSocket = "A-20"
    /// The quota of the mutable file is not enforced.
    case storageQuota = "A-21"
    /// The security monitor takes a base manifest whoever has signed it, and with it older versions.
    case unsignedManifest = "A-23"
    /// The security monitor commits an image without a look at it.
    case uncheckedCommit = "A-25"
    /// The security monitor's flash call takes any place.
    case uncheckedOffset = "A-27"
    /// Random bytes are missing at the end of lengths that are no multiple of four.
    case randomFill = "A-29"
    /// What the pin driver answers has memory of the kernel's in it.
    case pinLeak = "A-30"

    /// The OS release that does not have it any more; where the source names none, the one after the finding.
    var fixedIn: String {
        switch self {
        case .imageDevices, .peripheralSwitch, .plutonFlood: "20.06"
        case .procMemory, .kernelLog, .randomFill: "20.07"
        case .taskMemory, .followedLinks, .duplicateUser, .powerfulDaemon, .plutonOverflow, .uncheckedOffset: "20.08"
        case .threadMemory: "20.11"
        case .readImpliesExecute, .storageQuota, .staleSocket: "20.12"
        case .uncheckedCommit, .unsignedManifest: "21.06"
        case .plutonRace, .pinLeak: "21.10"
        case .treeMapping: "22.03"
        }
    }

    /// What an OS of a version such as `20.06` has; releases are years and months, in the order of text.
    public static func present(in version: String) -> Set<Weakness> { Set(allCases.filter { version < $0.fixedIn }) }
}
