/// Whether a probe on the SWD pins of a real-time core is answered (HW-23): until the chip is secured, or with a capability for
/// this device.
public struct DebugLock: Sendable {
    private var capabilities: Set<UInt16>
    private var isFitted: Bool

    /// - Parameter isFitted: False for chips whose ports nobody ever closes.
    public init(isFitted: Bool, capabilities: [UInt16] = []) {
        self.isFitted = isFitted
        self.capabilities = Set(capabilities)
    }

    public func isOpen(in state: SecurityState) -> Bool {
        !isFitted || state < .secure
            || state == .secure && capabilities.contains(CapabilityFile.Capability.applicationDevelopment.rawValue)
    }
}
