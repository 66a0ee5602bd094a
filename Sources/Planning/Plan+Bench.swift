import Catalogue
import Wire

extension Plan {
    /// An hour of the same fleet, in virtual time and with nothing done to it but for a fault in the boot of one device.
    /// - Parameter glitch: As a bench takes it, such as `1234:skip`; nil for none.
    public func withFault(_ glitch: String?, in device: String, _ build: BootCode) -> Plan {
        var plan = self
        plan.controlsOff.removeAll { $0 == .glitchHardening }
        if build == .plain { plan.controlsOff.append(.glitchHardening) }
        plan.steps = []
        plan.expectations = []
        plan.clock = .virtual
        plan.stop = min(plan.stop, .start + .hours(1))
        plan.benchWork = BenchWork(device: device, glitch: glitch)
        return plan
    }
}
