import Catalogue
public import Judging
import Planning
import Wire

/// For a reader at a terminal.
enum TextReport: ReportFormat {
    static let name = "text"
    static let summary = "for a reader at a terminal"
    static let fileName: String? = "report.txt"
    static func write(_ source: ReportSource) throws -> String { source.report.text }
}

extension Report {
    /// The report for a reader at a terminal.
    public var text: String {
        var lines: [String] = []
        let length = readable(.nanoseconds(elapsedNanoseconds))
        lines.append("\(name): \(devices) devices, \(length) of \(clock.rawValue) time, seed \(seed)")
        if !isComplete { lines.append("The run ended before its time; what follows is what happened until then.") }
        if !controlsOff.isEmpty { lines.append("Controls off: \(controlsOff.joined(separator: ", "))") }
        if !judgements.isEmpty {
            lines.append("\nExpectations")
            lines += judgements.map { "  \($0.result.rawValue.padded(8)) \($0.text): \($0.reason)" }
        }
        if !verdicts.isEmpty {
            lines.append("\nAttacks")
            for verdict in verdicts {
                lines.append("  \(verdict.outcome.rawValue.padded(12)) \(verdict.attack)")
                lines += verdict.targets.map { target in
                    let when = target.witness.map { "at \(readable($0.at - .start)), " } ?? ""
                    return "    \(target.outcome.rawValue.padded(12)) \(target.name): \(when)\(target.reason)"
                }
                if !verdict.keptFrom.isEmpty && !verdict.reached.isEmpty {
                    lines.append("               reached: \(verdict.reached.joined(separator: ", "))")
                    lines.append("               kept from: \(verdict.keptFrom.joined(separator: ", "))")
                }
                if let after = verdict.detectedAfterNanoseconds, let rule = verdict.detectedBy {
                    lines.append(
                        "               noticed after \(readable(.nanoseconds(after))): \(rule.rawValue); \(verdict.alerts) alert\(verdict.alerts == 1 ? "" : "s") of its own"
                    )
                } else {
                    lines.append("               not noticed by the service")
                }
            }
        }
        if !faults.isEmpty { lines += ["\nFaults"] + faults.map { "  " + $0 } }
        lines += authentication + operation + updates + fleetLines + alerts
        lines.append("\nDigest  \(digest)")
        return lines.joined(separator: "\n") + "\n"
    }

    private var authentication: [String] {
        let head = "attempts".left(10) + "accepted".left(10) + "p50".left(9) + "p90".left(9) + "p99".left(9) + "max".left(9)
        var lines = ["\n" + "Authentication".padded(28) + head]
        for (key, value) in metrics.handshakes.sorted(by: { $0.key < $1.key }) {
            var line = "  \(key)".padded(28) + "\(value.attempts)".left(10) + "\(value.accepted)".left(10)
            if let latency = value.latency {
                for time in [latency.p50Nanoseconds, latency.p90Nanoseconds, latency.p99Nanoseconds, latency.maxNanoseconds] {
                    line += readable(.nanoseconds(Int64(time))).left(9)
                }
            }
            lines.append(line)
            lines += reasons(value.failuresByReason, "    failed")
        }
        for (pair, reasons) in metrics.refusalsByServers.sorted(by: { $0.key < $1.key }) {
            lines += self.reasons(reasons, "  \(pair): server refused")
        }
        let m = metrics
        lines.append(
            "Attestation                 \(m.devicesAttested) of \(devices) devices; \(m.attestationsAccepted) accepted, "
                + "\(m.attestationFailuresByReason.values.reduce(0, +)) failed")
        lines += reasons(m.attestationFailuresByReason, "  failed")
        lines.append(
            "Certificates                \(m.certificatesIssued) issued (\(m.certificateRenewals) renewals, oldest \(readable(.seconds(m.oldestCertificateSeconds)))), \(m.certificatesRestored) restored from flash, "
                + "\(m.certificatesExpired) expired")
        return lines
    }

    private var operation: [String] {
        let m = metrics
        var lines = ["Exchanges                   \(m.exchangesAccepted) of \(m.exchanges) accepted"]
        if let (node, ratio) = m.availability.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }), m.exchanges > 0 {
            lines[0] += " (\(percent(Double(m.exchangesAccepted) / Double(m.exchanges)))); lowest \(percent(ratio)) at \(node)"
        }
        if m.bootFallbacks + m.bootFailures > 0 {
            lines.append("Boot                        \(m.bootFallbacks) fallbacks to a backup copy, \(m.bootFailures) failures")
        }
        for device in lockedOut ?? [] {
            lines.append("Locked out                  \(device.device), by its operator, since \(readable(device.since - .start))")
        }
        if m.recoveries + m.recoveriesFailed > 0 {
            lines.append("Recovered by cable          \(m.recoveries) of \(m.recoveries + m.recoveriesFailed)")
        }
        if let warmest = m.rooms.max(by: { ($0.value.maximumMillicelsius, $1.key) < ($1.value.maximumMillicelsius, $0.key) }) {
            let spoilt = m.rooms.values.reduce(0) { $0 + $1.tooWarmSeconds }
            lines.append(
                "Cold rooms                  \(m.rooms.count); warmest \(Double(warmest.value.maximumMillicelsius / 100) / 10) °C "
                    + "at \(warmest.key); too warm for \(readable(.seconds(spoilt))) in all")
        }
        if let all = m.use?.values, !all.isEmpty {
            let use = all.reduce(ResourceUse(), +)
            func mean(_ number: Int64) -> Double { Double(number) / Double(all.count) }
            lines.append(
                "Used, mean of a device      CPU \(readable(.nanoseconds(use.cpuNanoseconds / Int64(all.count)))); "
                    + "sent \(readableBytes(mean(use.sentBytes))), received \(readableBytes(mean(use.receivedBytes))); "
                    + "\(Int(mean(use.erasedSectors).rounded())) flash sectors erased, \(readableBytes(mean(use.programmedBytes))) programmed; "
                    + "the most worn sector of all erased \(use.mostErasures) times"
            )
        }
        if m.processesLost > 0 { lines.append("Processes lost              \(m.processesLost)") }
        if m.framesRefused > 0 { lines.append("Frames refused              \(m.framesRefused)") }
        if m.effectsDropped > 0 { lines.append("Effects without a taker     \(m.effectsDropped)") }
        return lines
    }

    private var updates: [String] {
        guard !releases.isEmpty else { return bricked.isEmpty ? [] : ["Bricked                     \(bricked.joined(separator: ", "))"] }
        let columns = ["installed", "to 50 %", "to 90 %", "to 99 %", "to 100 %", "exposed", "went back"]
        var lines = ["\n" + "Releases".padded(20) + columns.map { $0.left(10) }.joined()]
        for release in releases {
            var line = "  \(release.title)".padded(20) + "\(release.installed)/\(release.devices)".left(10)
            line += release.reached.map { ($0.afterNanoseconds.map { readable(.nanoseconds($0)) } ?? "–").left(10) }.joined()
            line += "\(release.exposureDeviceHours) dh".left(10) + "\(release.reverted)".left(10)
            lines.append(line)
            if release.rollout != .complete || !release.rolloutReason.isEmpty { lines.append("    rollout \(release.rolloutWords)") }
        }
        lines.append("  dh: device-hours on something older after the release")
        lines.append("Bricked                     \(bricked.isEmpty ? "none" : bricked.joined(separator: ", "))")
        return lines
    }

    private var alerts: [String] {
        guard !detection.alerts.isEmpty || !verdicts.isEmpty else { return [] }
        let worth = detection.all
        let told = [
            (worth.attacks, "about attacks"), (worth.faults, "about faults"), (worth.releases, "about releases"),
            (worth.outside, "about the world outside"), (worth.falseAlarms, "false"),
        ].filter { $0.0 > 0 || $0.1 == "false" }
        var lines = ["\n" + "Alerts".padded(28) + "\(worth.alerts): " + told.map { "\($0.0) \($0.1)" }.joined(separator: ", ")]
        let tried = verdicts.filter(\.wasTried)
        if !tried.isEmpty {
            lines.append(
                "Attacks noticed".padded(28)
                    + "\(tried.count { $0.alerts > 0 }) of \(tried.count) that were tried (recall \(recall.map(percent) ?? "–"))")
        }
        lines.append("Precision".padded(28) + (worth.precision.map(percent) ?? "–"))
        for (rule, worth) in detection.byRule.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(rule)".padded(28) + "\(worth.alerts), precision \(worth.precision.map(percent) ?? "–")")
        }
        return lines
            + detection.alerts.filter(\.isFalse).prefix(5).map {
                "  false alarm at \(readable($0.at - .start)): \($0.rule.rawValue) of \($0.subject), \($0.evidence)"
            }
    }

    private func reasons(_ counts: [String: Int], _ label: String) -> [String] {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\(label) \($0.value)×: \($0.key)" }
    }
}
