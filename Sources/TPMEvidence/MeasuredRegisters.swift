/// Which platform configuration register a Linux board measures what into, as U-Boot and the kernel do.
public enum MeasuredRegister {
    /// Firmware: the boot loader.
    public static let firmware = 0
    /// Whom the boot loader and the OS believe.
    public static let policy = 7
    public static let kernel = 8
    public static let fileSystem = 9
    /// Applications, as IMA has them.
    public static let applications = 10

    /// What a quote is over.
    public static let quoted = PCRSelection([firmware, policy, kernel, fileSystem, applications])
    /// What the key for TLS hangs on. Applications come and go.
    public static let sealed = PCRSelection([firmware, policy, kernel, fileSystem])
}
