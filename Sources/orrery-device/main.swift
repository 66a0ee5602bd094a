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
    if let file = setting.keyLogPath.flatMap(LineFile.init(path:)) { device.keepKeyLog(file.append) }
    var process = try NodeProcess(
        device, name: setting.name, publicIdentity: device.deviceID, startup: startup,
        servicePort: setting.clock == .wall ? ServicePort.deviceREST : nil)
    if let port = process.cablePort { LineFile(path: "\(configuration.statePath)/service-port")?.append("\(port)") }
    process.run()
} catch {
    Startup.end(setting.name, "\(error)", code: 70)
}
