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
    if let file = setting.keyLogPath.flatMap(LineFile.init(path:)) {
        device.keepKeyLog {
            if !file.append($0) { Startup.end(setting.name, "cannot write the key log: is the disk full?", code: Startup.cannotWrite) }
        }
    }
    var process = try NodeProcess(
        device, name: setting.name, publicIdentity: device.deviceID, marks: configuration.benchMarks, startup: startup,
        cablePorts: setting.clock == .wall ? [ServicePort.deviceREST, ServicePort.recovery] : [])
    for (name, nodePort) in [("service-port", ServicePort.deviceREST), ("recovery-port", ServicePort.recovery)] {
        if let port = process.cablePorts[nodePort] { LineFile(path: "\(configuration.statePath)/\(name)")?.append("\(port)") }
    }
    process.run()
} catch {
    Startup.end(setting.name, "\(error)", code: 70)
}
