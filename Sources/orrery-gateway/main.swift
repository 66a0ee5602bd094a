import Configuration
import Gateway
import Runtime

let startup = Startup.begin("orrery-gateway")
let configuration = startup.configuration(GatewayConfiguration.self, "orrery-gateway")
do {
    var process = try GatewayProcess(configuration, startup: startup)
    process.run()
} catch {
    Startup.end(configuration.setting.name, "\(error)", code: 70)
}
