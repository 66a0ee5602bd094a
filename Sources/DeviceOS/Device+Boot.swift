import Catalogue
import Configuration
import Exchange
import Formats
import Kernel
import SecureChannel
import Silicon
import Wire

extension Device {
    /// Power is on: the boot chain, then services, then apps.
    mutating func boot(glitch: Glitch? = nil, _ out: inout Outbox) {
        var chain = BootChain(
            rom: rom, flash: flash, fuses: fuses, pluton: pluton, isSecure: !isOff(.secureBoot),
            refusesOldVersions: !isOff(.rollbackProtection), cost: configuration.cryptoCost)
        guard let booted = chain.run(glitch: glitch, &out) else { return }
        do {
            settings = try SettingsStore(flash: flash)
            try loadSettings()
        } catch {
            out.observe(.bootFailed, [.stage: "services", .reason: .text("settings: \(error)")])
            return
        }
        (self.chain, self.booted, isRunning, bootedAt) = (chain, booted, true, out.now)
        identity = Identity(configuration, roots: booted.roots, verifier: serviceKey)
        loadCapabilities()
        for refused in booted.refused {
            noteSecurity(.imageRefused, refused.reason, seen: .init(digests: refused.digest.map { [$0] } ?? []), &out)
        }
        guard settleTrial(&out) else { return }
        repairCopies(&out)
        applySettings(&out)
        startApps(booted.images[.applications] ?? [], &out)
        out.act(.listen(port: ServicePort.peer))
        out.act(.listen(port: ServicePort.console))
        time.askAt = out.now + .seconds(5) + draws.duration(upTo: .seconds(5))
        out.observe(
            .osReady, [.version: .text(osVersion), .count: .number(Int64(pluton.measurements.count)), .text: .text(banner)])
        note(.boot, "power on", &out)
        restoreCertificates(&out)
        let spread = draws.duration(upTo: .nanoseconds(configuration.callEveryNanoseconds))
        callPeersAt = configuration.peersToCall.isEmpty ? .never : out.now + .seconds(60) + spread
        telemetryAt = out.now + .seconds(30) + draws.duration(upTo: .seconds(30))
        reportAt = out.now + .seconds(20) + draws.duration(upTo: .seconds(30))
        updates.checkAt = out.now + .seconds(10) + draws.duration(upTo: .seconds(10))
        // New images are on trial until the verifier has accepted what they measure.
        if !identity.isReady || updates.trial?.phase == .running { authenticateAt = out.now + draws.duration(upTo: .seconds(2)) }
    }

    /// A reset: RAM is gone, and so is every connection.
    mutating func reboot(_ reason: String, _ out: inout Outbox) {
        out.observe(.rebooted, [.reason: .text(reason)])
        shutDown(&out)
        out.spend(.seconds(1))
        boot(&out)
    }

    /// Nothing runs any more, and nothing is remembered but what is in flash.
    mutating func shutDown(_ out: inout Outbox) {
        clients.abandon(&out)
        servers.abandon(&out)
        cable.abandon(&out)
        restartAt = .never
        stopApps(&out)
        (pendingReports, reportsInFlight, isRunning) = ([], 0, false)
        (authenticateAt, telemetryAt, reportAt, callPeersAt, expiresAt) = (.never, .never, .never, .never, .never)
        time.askAt = .never
        (time.isServing, systemOffset) = (false, 0)
        console = Console(login: configuration.consoleLogin)
        let (backoff, failures) = (updates.backoff, updates.failures)
        updates = UpdateState(backoff: backoff)
        updates.failures = failures
        pluton.restart()
    }

    var bootedImages: [BootChain.Booted] { booted.all }

    var installed: [InstalledImage] {
        bootedImages.map { image in
            InstalledImage(
                reference: .init(type: image.package.type, ordinal: image.ordinal), component: image.package.component.description,
                name: image.package.name, version: Int64(image.package.securityVersion), sha256: image.digest)
        }
    }

    var osVersion: String { booted.images[.services]?.first?.package.name ?? "" }

    /// What the OS prints when it starts: its stage, its version and what it is hardened against.
    private var banner: String {
        String(decoding: booted.images[.services]?.first?.package.body.prefix { $0 != 10 }.prefix(200) ?? [], as: UTF8.self)
    }

    /// Keys of the trusted keystore, by the ID that images name them with.
    var trustedKeys: [[UInt8]: P256PublicKey] { chain?.trusted ?? [:] }

    var devicePolicy: DevicePolicy? {
        booted.images[.policy]?.first.flatMap { JSON.decode(DevicePolicy.self, $0.package.body) }
    }

    /// The roots of update metadata that the policy image brings.
    var factoryRoots: [String: [UInt8]] {
        guard let policy = devicePolicy else { return [:] }
        return [
            "director": Base64.decode(Array(policy.directorRoot.utf8)) ?? [], "images": Base64.decode(Array(policy.imageRoot.utf8)) ?? [],
        ]
    }

    /// Takes what is in flash now and starts it in place of what runs.
    mutating func restartApps(_ out: inout Outbox) {
        stopApps(&out)
        guard var chain, let images = chain.restart(.applications, &out) else { return }
        booted.images[.applications] = images
        self.chain = chain
        startApps(images, &out)
    }

    /// What the world or an operator says to the device, beside the network.
    mutating func obey(_ name: String, _ body: [UInt8], _ out: inout Outbox) {
        switch name {
        case CommandName.clock: change(body, &out)
        case "check-updates": if isRunning { updates.checkAt = out.now }
        case CommandName.powerCut:
            if let count = JSON.decode(Int.self, body) { flash.cutPower(duringOperation: count) }
        case CommandName.flashRot: rot(body, &out)
        case CommandName.debugPort: if let request = JSON.decode(DebugRequest.self, body) { probe(request, &out) }
        default: break
        }
    }

    /// Somebody has put a probe on the SWD pins.
    private func probe(_ request: DebugRequest, _ out: inout Outbox) {
        guard DebugLock(isFitted: !isOff(.debugLock), capabilities: development.capabilities).isOpen(in: fuses.securityState) else {
            return out.observe(
                .debugPort, [.operation: .text(request.rawValue), .result: "locked", .code: .text(Code.capabilityMissing.rawValue)])
        }
        for core in cores {
            switch request {
            case .halt:
                let words = core.halt() ?? []
                let text = words.map { "0x" + String($0, radix: 16) }.joined(separator: " ")
                out.observe(.debugPort, [.operation: "halt", .result: words.isEmpty ? "no core" : "halted", .text: .text(text)])
            case .resume:
                core.resume(at: out.now)
                out.observe(.debugPort, [.operation: "resume", .result: "running"])
            }
        }
    }

    /// Charge leaks out of the cells that hold images.
    private func rot(_ body: [UInt8], _ out: inout Outbox) {
        guard let rot = JSON.decode(FlashRot.self, body), let store = try? ImageStore(flash: flash) else { return }
        var draws = SeedStream(seed: rot.seed, node: configuration.setting.name, purpose: "rot")
        let primaries = store.layout.entries.filter { $0.slot == .primary }
        for _ in 0..<rot.bits {
            guard let entry = primaries.randomElement(using: &draws) else { return }
            try? flash.flip(bit: Int(draws.next() & 7), of: Int(entry.offset) + Int(draws.next() % UInt64(max(1, entry.length))))
            guard let bytes = try? flash.read(Int(entry.offset), Int(entry.length)) else { continue }
            out.observe(
                .trace,
                [
                    .instance: .text(rot.instance), .digest: .text(sha256(bytes).hex.digestHead),
                    .target: .text(configuration.setting.name),
                ])
        }
    }

    /// Starts what the images hold and the configuration asks for; a bad one is refused with its number.
    private mutating func startApps(_ images: [BootChain.Booted], _ out: inout Outbox) {
        appServices.osVersion = osVersion
        appServices.controlsOff = configuration.controlsOff
        let weaknesses = Weakness.present(in: osVersion)
        appServices.monitor = SecurityMonitor(flash: flash, trusted: chain?.trusted ?? [:]) { [pluton] type in
            UInt32(pluton.counter(BootChain.counter(type, 0)))
        }
        appServices.pluton = PlutonMailbox(pluton: pluton, fuses: fuses, seed: authentication.keySeed)
        for image in images where configuration.apps.contains(image.package.name) { startApp(image.package, weaknesses, &out) }
    }

    /// Why it could not; nil if it runs.
    @discardableResult
    mutating func startApp(_ package: ImagePackage, _ weaknesses: Set<Weakness>, _ out: inout Outbox) -> String? {
        let app = package.name
        do {
            let (files, devices) = try contents(of: package, weaknesses)
            let manifest = try AppManifest(json: files["app_manifest.json"] ?? [])
            guard let program = files[String(manifest.entryPoint.dropFirst())] else {
                return refuseApp(app, "2097174: entry point is not in the image", &out)
            }
            if let conflict = conflict(of: package.name, manifest) { return refuseApp(app, conflict, &out) }
            if manifest.isRealTime {
                guard cores.count < Device.realTimeCores else {
                    return refuseApp(app, "the chip has \(Device.realTimeCores) real-time cores", &out)
                }
                cores.append(
                    try RealTimeHost(
                        app: app, program: try ELFImage(program), manifest: manifest,
                        attachments: configuration.attachments, roomPath: configuration.statePath + "/room.bin", at: out.now))
                if let board = cores.last?.board { for other in boards where other !== board { other.join(board) } }
                exchangeMail()
            } else {
                apps.append(
                    try HighLevelHost(
                        app: app, image: AppImage(files: files, devices: devices, manifest: manifest),
                        attachments: configuration.attachments, memoryKiB: configuration.appMemoryKiB, statePath: configuration.statePath,
                        flash: flash, epochSeconds: configuration.setting.epochSeconds, services: appServices, at: out.now))
                if let board = apps.last?.board { for other in boards where other !== board { other.join(board) } }
            }
            started(package, manifest, &out)
            return nil
        } catch let refusal as AppManifest.Refusal {
            return refuseApp(app, "\(refusal.code): \(refusal.reason)", &out)
        } catch {
            return refuseApp(app, "\(error)", &out)
        }
    }

    /// What is on the pins, as each app has it: wires lead from one to the other.
    var boards: [Board] { cores.map(\.board) + apps.map(\.board) }

    /// Why an app cannot run beside those that do.
    private func conflict(of app: String, _ manifest: AppManifest) -> String? {
        let running = apps.map { (name: $0.app, manifest: $0.manifest) } + cores.map { (name: $0.app, manifest: $0.manifest) }
        return running.lazy.compactMap { AppManifest.conflict($0, (app, manifest)) }.first
    }

    /// Files, and device nodes where the OS still takes them.
    private func contents(
        of package: ImagePackage, _ weaknesses: Set<Weakness>
    ) throws(CompressedROM.Failure) -> ([String: [UInt8]], [String: ImageDevice]) {
        let contents = try CompressedROM.contents(package.body, takesDevices: weaknesses.contains(.imageDevices))
        return (contents.files, contents.devices)
    }

    private func started(_ package: ImagePackage, _ manifest: AppManifest, _ out: inout Outbox) {
        out.observe(
            .appStarted,
            [
                .app: .text(package.name), .component: .text(manifest.componentID), .version: .number(Int64(package.securityVersion)),
            ])
    }

    private mutating func stopApps(_ out: inout Outbox) {
        for (index, app) in apps.enumerated() {
            app.stop(&out)
            carryOut(app.takeActions(), of: index, &out)
        }
        appStreams.forgetAll()
        (cores, apps) = ([], [])
    }

    private mutating func refuseApp(_ app: String, _ reason: String, _ out: inout Outbox) -> String {
        out.observe(.refusal, [.operation: "start app", .app: .text(app), .reason: .text(reason)])
        note(.app, "\(app): \(reason)", &out)
        return reason
    }

    /// Remembers something for the next error report.
    mutating func note(
        _ category: ReportCategory, _ description: String, seen: ServiceAPI.Sighting = .init(), _ out: inout Outbox
    ) {
        guard !isOff(.errorReporting), pendingReports.count < 100 else { return }
        pendingReports.append(
            .init(
                category: category, description: description, unixSeconds: unixSeconds(at: out.now), seen: seen))
    }

    /// Something that an attack may be behind: the service is to hear of it soon, but not of each repetition.
    mutating func noteSecurity(
        _ category: ReportCategory, _ description: String, seen: ServiceAPI.Sighting = .init(), _ out: inout Outbox
    ) {
        guard !isOff(.errorReporting) else { return }
        if let index = pendingReports.dropFirst(reportsInFlight).firstIndex(where: {
            $0.category == category && $0.description == description
        }) {
            pendingReports[index].count += 1
            pendingReports[index].seen.add(seen)
        } else {
            note(category, description, seen: seen, &out)
        }
        reportAt = min(reportAt, out.now + .minutes(1))
    }

    /// AS-5: certificates in flash are good if they are valid and Pluton still holds their key.
    private mutating func restoreCertificates(_ out: inout Outbox) {
        guard identity.usesCertificates, let settings, let seed = settings[.clientKeySeed],
            let customer = settings[.customerChain].flatMap({ try? Certificate.list(joinedDER: $0) }),
            let update = settings[.updateChain].flatMap({ try? Certificate.list(joinedDER: $0) })
        else { return }
        guard let customer = authentication.identity(chain: customer, seed: seed),
            let update = authentication.identity(chain: update, seed: seed)
        else {
            out.observe(
                .refusal,
                [
                    .operation: "restore certificate", .code: .text(Code.keyLost.rawValue),
                    .reason: "their key is not that of this silicon and these images",
                ])
            return
        }
        identity.set(update: update, customer: customer)
        guard let notAfter = identity.notAfter, notAfter > unixSeconds(at: out.now) else {
            identity.clear()
            out.observe(.certificateExpired)
            return
        }
        out.observe(.certificateRestored, [.notAfterSeconds: .number(notAfter)])
        planRenewal(&out)
    }

    /// Renewal well before the end, and the end itself.
    mutating func planRenewal(_ out: inout Outbox) {
        guard let notAfter = identity.notAfter else { return }
        let left = Duration.seconds(notAfter - unixSeconds(at: out.now))
        expiresAt = out.now + left
        let reserve = Duration.seconds(Lifetimes.device) - Device.renewAfter
        authenticateAt = out.now + max(.zero, left - reserve) + draws.duration(upTo: .hours(1))
    }

    // MARK: Time of day

    func unixNanoseconds(at now: Instant) -> Int64 {
        configuration.setting.epochSeconds * 1_000_000_000 + now.nanoseconds + (clock.error(at: now.nanoseconds) &+ systemOffset)
    }

    mutating func askTime(_ address: Address, _ out: inout Outbox) {
        let request = time.request(unixNanoseconds: unixNanoseconds(at: out.now))
        out.act(.datagram(fromPort: ServicePort.time, to: Endpoint(address, ServicePort.time), request))
    }

    mutating func timeAnswered(_ bytes: [UInt8], _ out: inout Outbox) {
        let nonce = NetworkTime.origin(of: bytes)?.hex ?? ""
        switch time.answered(bytes, unixNanoseconds: unixNanoseconds(at: out.now)) {
        case .ignored: break
        case .refused(let reason):
            out.observe(
                .refusal,
                [
                    .operation: "set clock", .code: .text(Code.clockTooFarOff.rawValue), .nonce: .text(nonce), .reason: .text(reason),
                ])
            noteSecurity(.timeRefused, "the clock is said to be far off", seen: .init(nonces: [nonce]), &out)
        // Half a second is the network's, not the clock's.
        case .correct(let nanoseconds) where abs(nanoseconds) > 500_000_000:
            out.observe(.clockSet, [.durationNanoseconds: .number(nanoseconds), .nonce: .text(nonce)])
            noteTime(by: nanoseconds, out)
            keepClock(out.now)
            set(ClockChange(jumpNanoseconds: nanoseconds), &out)
        case .correct(let nanoseconds): noteTime(by: nanoseconds, out)
        }
    }

    /// Somebody opened a connection to the factory's console.
    mutating func knocked(_ stream: StreamID, _ from: Endpoint, _ out: inout Outbox) {
        guard isOff(.networkFirewall) else {
            out.act(.close(stream))
            let connection = Connection(from, to: ServicePort.console)
            out.observe(
                .refusal,
                [
                    .operation: "accept", .code: .text(Code.firewall.rawValue), .reason: .text(Code.firewall.words),
                    .connection: .text("\(connection)"), .address: .text("\(from.address)"), .port: .number(Int64(ServicePort.console)),
                ])
            noteSecurity(.portProbed, "port \(ServicePort.console) from \(from.address)", seen: .init(connections: [connection]), &out)
            return
        }
        console.open(stream, &out)
    }

    /// The clock jumps or changes its pace; certificates are judged by it from now on.
    mutating func change(_ body: [UInt8], _ out: inout Outbox) {
        if let change = JSON.decode(ClockChange.self, body) { set(change, &out) }
    }

    private mutating func set(_ change: ClockChange, _ out: inout Outbox) {
        let now = out.now.nanoseconds
        if let drift = change.driftPartsPerBillion { clock.drift(partsPerBillion: drift, at: now) }
        clock.jump(by: change.jumpNanoseconds, at: now)
        if let notAfter = identity.notAfter { expiresAt = out.now + .seconds(max(0, notAfter - unixSeconds(at: out.now))) }
    }
}
