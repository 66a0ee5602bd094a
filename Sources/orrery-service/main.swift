import Configuration
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
    if let path = setting.keyLogPath { service.keepKeyLog(Startup.keyLog(setting.name, path: path)) }
    var process = try NodeProcess(service, name: setting.name, publicIdentity: "", startup: startup)
    process.run()
} catch {
    Startup.end(setting.name, "\(error)", code: 70)
}
