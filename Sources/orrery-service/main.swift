import Runtime
import SecureChannel
import SecurityService
import Wire

let startup = Startup.begin("orrery-service")
let configuration = startup.configuration(ServiceConfiguration.self, "orrery-service")
let setting = configuration.setting
if var draws = setting.cryptoDraws(generation: startup.generation) { Randomness.replace { draws.bytes($0) } }
do {
    var service = try SecurityService(configuration)
    if let file = setting.keyLogPath.flatMap(LineFile.init(path:)) {
        service.keepKeyLog {
            if !file.append($0) { Startup.end(setting.name, "cannot write the key log: is the disk full?", code: Startup.cannotWrite) }
        }
    }
    var process = try NodeProcess(service, name: setting.name, publicIdentity: "", startup: startup)
    process.run()
} catch {
    Startup.end(setting.name, "\(error)", code: 70)
}
