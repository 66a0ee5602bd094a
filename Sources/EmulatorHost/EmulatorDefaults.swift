import Planning
import Wire

/// What holds for every emulation that nobody has said anything else of.
public enum EmulatorDefaults {
    /// Unix time at its start, in seconds, as in a run without a date.
    public static let epochSeconds = Plan.defaultEpochSeconds
    public static let release = Plan.defaultOSVersion
    /// Whether a text names a release of the OS.
    public static func isRelease(_ text: String) -> Bool { Plan.isRelease(text) }
    /// A time such as `500ms`, in nanoseconds; nil for anything else.
    public static func nanoseconds(_ text: String) -> Int64? { Plan.duration(text)?.nanoseconds }

    /// The random source, which gives the same each time.
    public static func random() -> (Int) -> [UInt8] {
        var generator = SeedStream(seed: 1, node: "emulate", purpose: "random")
        return { generator.bytes($0) }
    }

    /// A virtual time as `orrery emulate` prints it, to the microsecond.
    public static func seconds(_ nanoseconds: Int64) -> String {
        let microseconds = String(nanoseconds % 1_000_000_000 / 1000)
        return "\(nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 6 - microseconds.count) + microseconds
    }
}

func seconds(_ nanoseconds: Int64) -> String { EmulatorDefaults.seconds(nanoseconds) }
