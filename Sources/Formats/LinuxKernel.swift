/// The kernel that Linux boards start.
public enum LinuxKernel {
    /// As its image is called, and as it calls itself.
    public static let name = "linux6.1"
}
