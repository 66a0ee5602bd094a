/// Which state of the sources this was built from, as git told when it was built.
public enum Version {
    /// Such as `3332d7e0c1a2`, or the last tag with the commits since; `-dirty` if there were changes that no commit has, `unknown` if it was
    /// not built in a clone.
    public static var described: String { describedByGit }

    /// The packages that it was built with, as `Package.resolved` has them (JSON).
    public static var resolvedPackages: String { resolvedByPackageManager }
}
