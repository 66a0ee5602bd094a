/// Setting the wall clock (clock_settime(2)): for apps with the capability SystemTime.
extension Kernel {
    /// From 1970 to 2100.
    private static let times: ClosedRange<Int64> = 0...4_133_980_799_999_999_999

    /// - Parameter nanoseconds: Unix time.
    func setClock(to nanoseconds: Int64, _ process: Process) throws(Errno) {
        guard process.policy.grants?.flags.contains("SystemTime") ?? false else { throw .EPERM }
        guard Kernel.times.contains(nanoseconds) else { throw .EINVAL }
        let change = nanoseconds - (epoch + now)
        epoch += change
        services?.setClock(by: change)
        changed()
    }
}
