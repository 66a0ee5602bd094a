import DeviceOS
import Runtime
import SecureChannel
import Wire

let startup = Startup.begin("orrery-device")
let configuration = startup.configuration(DeviceConfiguration.self, "orrery-device")
let setting = configuration.setting
if setting.clock == .virtual {
    var stream = SeedStream(
        seed: setting.seed, node: setting.name, purpose: "crypto", generation: Int(startup.generation))
    Randomness.replace { stream.bytes($0) }
}
do {
    var device = try Device(configuration, generation: Int(startup.generation))
    if let file = setting.keyLogPath.flatMap(LineFile.init(path:)) { device.keepKeyLog(file.append) }
    var process = try NodeProcess(device, name: setting.name, publicIdentity: device.deviceID, startup: startup)
    process.run()
} catch {
    Startup.end(setting.name, "\(error)", code: 70)
}
