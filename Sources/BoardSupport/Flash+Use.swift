public import Silicon
public import Wire

extension Flash {
    /// What it has been worn since it got power.
    public var use: ResourceUse {
        var use = ResourceUse()
        use.erasedSectors = Int64(wear.erasedSectors)
        use.programmedBytes = Int64(wear.programmedBytes)
        use.mostErasures = Int64(mostErasures)
        return use
    }
}
