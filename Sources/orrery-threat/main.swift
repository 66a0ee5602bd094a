import Configuration
import Injector
import Runtime
import SecureChannel
import Wire

let startup = Startup.begin("orrery-threat", ownsEndpoint: true)
let configuration = startup.configuration(ThreatConfiguration.self, "orrery-threat")
if var draws = configuration.setting.cryptoDraws(generation: startup.generation) { Randomness.replace { draws.bytes($0) } }
do {
    var process = try HubProcess(Injector(configuration), endpoint: startup.endpoint)
    process.run()
} catch {
    Startup.end("orrery-threat", "\(error)", code: 70)
}
