import Configuration
import Exchange
import Kernel
import Silicon
import Wire

/// What apps have set, which outlasts them: certificates, and how the device is connected; and what comes of it on the network.
extension Device {
    /// Reads what is in flash, before anything starts.
    mutating func loadSettings() throws(SiliconError) {
        let (path, flash) = (configuration.statePath, flash)
        let networkStorage = try MutableStorage(path: path + "/network.bin", flash: flash)
        let saved = networkStorage.content.flatMap { JSON.decode(NetworkServices.Saved.self, $0) }
        let around = configuration.wifi.map { AccessPoint(ssid: $0.ssid, key: $0.key) }
        let network = NetworkServices(saved, around: around ?? .standard)
        network.onChange = { saved in _ = networkStorage.keep(JSON.encode(saved)) }
        appServices.network = network
        appServices.serviceRecords = (configuration.services ?? []).map {
            ServiceRecord(instance: $0.instance, type: $0.type, host: $0.host, port: $0.port, text: $0.text)
        }
        let certificateStorage = try MutableStorage(
            path: path + "/certificates.bin", flash: flash, longest: CertificateServices.longestEncoding)
        appServices.certificates = CertificateServices(certificateStorage.content ?? [])
        appServices.certificates.onChange = { bytes in _ = certificateStorage.keep(bytes) }
    }

    /// Makes of the settings what the network is to see.
    mutating func applySettings(_ out: inout Outbox) {
        guard let network = appServices.network else { return }
        if network.link != link {
            link = network.link
            switch link {
            case .down: out.act(.link(isUp: false, nil))
            case .dynamic: out.act(.link(isUp: true, nil))
            case .fixed(let address): out.act(.link(isUp: true, Address(bits: address)))
            }
        }
        if network.servesTime, !time.isServing {
            time.isServing = true
            out.act(.listen(port: ServicePort.time))
        }
        if network.timeHasChanged {
            network.timeHasChanged = false
            (time.askAt, time.attempt) = (out.now + .seconds(1), 0)
        }
    }

    /// Whoever sets the clock sets it for all, until the device starts again or it is told to the battery-backed one.
    mutating func setSystemClock(by nanoseconds: Int64, _ out: inout Outbox) {
        systemOffset &+= nanoseconds
        out.observe(.clockSet, [.durationNanoseconds: .number(nanoseconds)])
        if let notAfter = identity.notAfter { expiresAt = out.now + .seconds(max(0, notAfter - unixSeconds(at: out.now))) }
    }

    mutating func keepClock(_ now: Instant) {
        clock.jump(by: systemOffset, at: now.nanoseconds)
        systemOffset = 0
    }

    // MARK: Time of day

    /// Asks the next of the servers that are set. Where there are more, the next has its turn after ten seconds without an answer.
    mutating func askForTime(_ out: inout Outbox) {
        let standard = configuration.names.service
        let servers = appServices.network?.timeServers(standard: standard) ?? [standard]
        guard appServices.network?.isTimeSynchronised ?? true, !servers.isEmpty else { return }
        let name = servers[time.attempt % servers.count]
        time.server = name
        time.attempt += 1
        if time.attempt < servers.count { time.askAt = out.now + .seconds(10) } else { time.attempt = 0 }
        out.act(.resolve(query: TimeSync.query, name: name))
    }

    /// What a server's answer was, for whoever asks.
    mutating func noteTime(by nanoseconds: Int64, _ out: Outbox) {
        let before = unixSeconds(at: out.now)
        let after = (unixNanoseconds(at: out.now) &+ nanoseconds) / 1_000_000_000
        appServices.network?.lastTime = .init(server: time.server, secondsBefore: before, seconds: after)
        if time.attempt > 0 { (time.attempt, time.askAt) = (0, out.now + TimeSync.every + draws.duration(upTo: .minutes(1))) }
    }

    /// Somebody on the network asks this device, as an app has started it (NET-7).
    mutating func tellTime(_ request: [UInt8], _ from: Endpoint, _ out: inout Outbox) {
        guard let answer = NetworkTime.answer(to: request, unixNanoseconds: unixNanoseconds(at: out.now)) else { return }
        out.act(.datagram(fromPort: ServicePort.time, to: from, answer))
    }
}
