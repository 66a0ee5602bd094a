import Runtime
import SecureChannel
import SecurityService
import Wire

let startup = Startup.begin("orrery-service")
let configuration = startup.configuration(ServiceConfiguration.self, "orrery-service")
let setting = configuration.setting
if setting.clock == .virtual {
    var stream = SeedStream(
        seed: setting.seed, node: setting.name, purpose: "crypto", generation: Int(startup.generation))
    Randomness.replace { stream.bytes($0) }
}
do {
    var service = try SecurityService(configuration)
    if let file = setting.keyLogPath.flatMap(LineFile.init(path:)) { service.keepKeyLog(file.append) }
    var process = try NodeProcess(service, name: setting.name, publicIdentity: "", startup: startup)
    process.run()
} catch {
    Startup.end(setting.name, "\(error)", code: 70)
}
