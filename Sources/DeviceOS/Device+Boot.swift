import Exchange
import Formats
import SecureChannel
import Silicon
import Wire

extension Device {
    /// Power is on: the boot chain, then services, then apps.
    mutating func boot(_ out: inout Outbox) {
        var chain = BootChain(
            flash: flash, fuses: fuses, pluton: pluton,
            isSecure: !configuration.controlsOff.contains(.secureBoot), cost: configuration.cryptoCost)
        guard let booted = chain.run(&out) else { return }
        do {
            settings = try SettingsStore(flash: flash)
        } catch {
            out.observe(.bootFailed, [.stage: "services", .reason: .text("settings: \(error)")])
            return
        }
        isRunning = true
        identity = Identity(configuration, roots: booted.roots)
        startApps(booted.images[.applications] ?? [], &out)
        out.act(.listen(port: ServicePort.peer))
        let version = booted.images[.services]?.first?.package.name ?? ""
        out.observe(.osReady, [.version: .text(version), .count: .number(Int64(pluton.measurements.count))])
        note("boot", "power on", &out)
        restoreCertificates(&out)
        let spread = draws.duration(upTo: .nanoseconds(configuration.callEveryNanoseconds))
        callPeersAt = configuration.peersToCall.isEmpty ? .never : out.now + .seconds(60) + spread
        telemetryAt = out.now + .seconds(30) + draws.duration(upTo: .seconds(30))
        reportAt = out.now + .seconds(20) + draws.duration(upTo: .seconds(30))
        if !identity.isReady { authenticateAt = out.now + draws.duration(upTo: .seconds(2)) }
    }

    /// Starts what the images hold and the configuration asks for; a bad one is refused with its number.
    private mutating func startApps(_ images: [BootChain.Booted], _ out: inout Outbox) {
        for image in images where configuration.apps.contains(image.package.name) {
            let app = image.package.name
            do {
                let files = try CompressedROM.unpack(image.package.body)
                let manifest = try AppManifest(json: files["app_manifest.json"] ?? [])
                guard let program = files[String(manifest.entryPoint.dropFirst())] else {
                    refuseApp(app, "2097174: entry point is not in the image", &out)
                    continue
                }
                guard manifest.isRealTime else {
                    refuseApp(app, "high-level apps are not run yet", &out)
                    continue
                }
                cores.append(
                    try RealTimeHost(
                        app: app, program: try ELFImage(program), roomPath: configuration.statePath + "/room.bin",
                        at: out.now))
                out.observe(.appStarted, [.app: .text(app), .component: .text(manifest.componentID)])
            } catch let refusal as AppManifest.Refusal {
                refuseApp(app, "\(refusal.code): \(refusal.reason)", &out)
            } catch {
                refuseApp(app, "\(error)", &out)
            }
        }
    }

    private mutating func refuseApp(_ app: String, _ reason: String, _ out: inout Outbox) {
        out.observe(.refusal, [.operation: "start app", .app: .text(app), .reason: .text(reason)])
        note("app", "\(app): \(reason)", &out)
    }

    /// Remembers something for the next error report.
    mutating func note(_ category: String, _ description: String, _ out: inout Outbox) {
        guard pendingReports.count < 100 else { return }
        pendingReports.append(
            .init(
                category: category, description: description,
                unixSeconds: unixSeconds(at: out.now)))
    }

    /// AS-5: certificates in flash are good if they are valid and Pluton still holds their key.
    private mutating func restoreCertificates(_ out: inout Outbox) {
        guard identity.usesCertificates, let settings, let seed = settings[.clientKeySeed],
            let customer = settings[.customerChain].flatMap({ try? CertificateBundle.decode($0) }),
            let update = settings[.updateChain].flatMap({ try? CertificateBundle.decode($0) })
        else { return }
        guard let customer = authentication.identity(chain: customer, seed: seed),
            let update = authentication.identity(chain: update, seed: seed)
        else {
            out.observe(.refusal, [.operation: "restore certificate", .reason: "the key is not in this silicon"])
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

    /// The clock jumps or changes its pace; certificates are judged by it from now on.
    mutating func change(_ body: [UInt8], _ out: inout Outbox) {
        guard let change = JSON.decode(ClockChange.self, body) else { return }
        let now = out.now.nanoseconds
        if let drift = change.driftPartsPerBillion { clock.drift(partsPerBillion: drift, at: now) }
        clock.jump(by: change.jumpNanoseconds, at: now)
        if let notAfter = identity.notAfter { expiresAt = out.now + .seconds(max(0, notAfter - unixSeconds(at: out.now))) }
    }
}
