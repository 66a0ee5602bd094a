public import Applications
import BoardSupport
import Configuration
public import DeviceServices
import Exchange
import Wire

/// What one part of the device has done, and another is to hear of.
extension Device {
    mutating func carryOut(_ outcomes: [ServiceOutcome], _ out: inout Outbox) {
        for outcome in outcomes {
            switch outcome {
            case .notice(let notice, let isApp): tell(notice, isApp: isApp, &out)
            case .startApps(let new):
                restartApps(&out)
                if !new.isEmpty { services.appsStarted(new, &out) }
            case .restart(let reason): restart(reason, &out)
            case .timeTold(let server, let before, let after): apps.noteTime(server: server, before: before, after: after)
            }
        }
    }

    /// What comes after a restart is of a device that was: it is not carried out.
    mutating func carryOut(_ outcomes: [AppOutcome], _ out: inout Outbox) {
        for outcome in outcomes {
            switch outcome {
            case .report(let category, let description, let seen, let isUrgent):
                if isUrgent {
                    services.context.noteSecurity(category, description, seen: seen, at: out.now)
                } else {
                    services.context.note(category, description, seen: seen, at: out.now)
                }
            case .failed(let reason): carryOut(services.appFailed(reason, &out), &out)
            case .timeServersChanged: services.time.serversChanged(out.now)
            case .restart:
                services.activateStaged(&out)
                return restart("asked by an app", &out)
            case .panic(let reason):
                services.context.note(.kernelPanic, reason, at: out.now)
                return restart("kernel panic: \(reason)", &out)
            case .powerDown(let time):
                services.activateStaged(&out)
                return powerDown(time, &out)
            case .deferUpdate(let wanted):
                guard services.updater.hasStaged, let time = apps.deferral(wanted) else { break }
                carryOut([services.updater.defer(by: time, &out)], &out)
            case .resumeUpdate: services.updater.resume(out.now)
            case .setClock(let nanoseconds): services.setClock(by: nanoseconds, &out)
            case .keepClock: services.keepClock(out.now)
            }
        }
    }

    private mutating func tell(_ notice: UpdateNotice, isApp: Bool, _ out: inout Outbox) {
        switch notice {
        case .found: apps.tell(.updateStarted, isApp: isApp, out.now)
        case .nothingFound: apps.tell(.noUpdate, isApp: isApp, out.now)
        case .pending(let limit):
            let isHeard = apps.tell(.updatePending(limit: limit), isApp: isApp, out.now)
            services.announced(isHeard: isHeard, &out)
        case .final: apps.tell(.updateFinal, isApp: isApp, out.now)
        case .deferred: apps.tell(.updateDeferred, isApp: isApp, out.now)
        case .complete: apps.tell(.updateComplete, isApp: isApp, out.now)
        }
    }

    /// Takes what is in flash now and starts it in place of what runs.
    private mutating func restartApps(_ out: inout Outbox) {
        apps.stop(&out)
        guard board.restartApps(&out) else { return }
        services.context.software = board.chip.software
        startApps(&out)
    }

    /// Starts the apps that the board has booted.
    mutating func startApps(_ out: inout Outbox) {
        let software = board.chip.software
        var system = AppHost.System(osVersion: software.osVersion)
        if let monitor = software.rules.monitor {
            let flash = software.flash
            system.monitor = .init(keys: monitor.keys, leastVersion: monitor.leastVersion, openImages: { try ImageStore(flash: flash) })
        }
        board.complete(&system, clientKey: services.clientKey)
        let installed = software.booted.withPrograms.map { InstalledApp($0.package, digest: $0.digest) }
        carryOut(apps.start(installed, system, &out), &out)
    }
}

extension Identity: AppCredentials {}

extension AppHost.Settings {
    init(_ configuration: DeviceConfiguration) {
        let protections = configuration.protections
        let cost = configuration.cryptoCost
        self.init(
            apps: configuration.apps, attachments: configuration.attachments, memoryKiB: configuration.appMemoryKiB,
            statePath: configuration.statePath, epochSeconds: configuration.setting.epochSeconds,
            isolatesApps: protections.appIsolation, protectsMemory: protections.memoryProtection,
            cost: { cost.time(for: $0).nanoseconds }, peerPort: ServicePort.peer, timePort: ServicePort.time,
            wifi: configuration.wifi.map { ($0.ssid, $0.key) },
            services: (configuration.services ?? []).map { ($0.instance, $0.type, $0.host, $0.port, $0.text) })
        usesManifests = configuration.usesManifests
    }
}
