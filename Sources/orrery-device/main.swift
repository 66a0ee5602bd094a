import Configuration
import DeviceKinds
import DeviceOS
import Runtime
import SecureChannel
import Wire

let startup = Startup.begin("orrery-device")
let configuration = startup.configuration(DeviceConfiguration.self, "orrery-device")
let setting = configuration.setting
if var draws = setting.cryptoDraws(generation: startup.generation) { Randomness.replace { draws.bytes($0) } }
do {
    var device = try Device(configuration, generation: Int(startup.generation))
    if let path = setting.keyLogPath { device.keepKeyLog(Startup.keyLog(setting.name, path: path)) }
    var process = try NodeProcess(
        device, name: setting.name, publicIdentity: device.deviceID, marks: configuration.benchMarks, startup: startup,
        cablePorts: setting.clock == .wall ? [ServicePort.deviceREST, ServicePort.recovery] : [],
        lines: setting.clock == .wall ? SerialLines(device.outsideUARTs, folder: configuration.statePath) : SerialLines())
    for (name, nodePort) in [("service-port", ServicePort.deviceREST), ("recovery-port", ServicePort.recovery)] {
        if let port = process.cablePorts[nodePort] { leaveNote("\(port)", at: "\(configuration.statePath)/\(name)") }
    }
    process.run()
} catch {
    Startup.end(setting.name, "\(error)", code: 70)
}
