public import Judging
import Planning
import Wire

/// For Prometheus and its like.
enum OpenMetrics: ReportFormat {
    static let name = "openmetrics"
    static let summary = "OpenMetrics text"
    static let fileName: String? = "metrics.prom"
    static func write(_ source: ReportSource) throws -> String { source.report.openMetrics }
}

extension Report {
    /// OpenMetrics 1.0 text: base units, `# EOF`. A run that is over counts no more, so all its numbers are gauges,
    /// which Prometheus's own text format reads alike (`promtool check metrics`).
    public var openMetrics: String {
        var text = ""
        func family(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: String)]) {
            guard !samples.isEmpty else { return }
            text += "# TYPE orrery_\(name) \(type)\n# HELP orrery_\(name) \(help)\n"
            for sample in samples { text += "orrery_\(name)\(sample.labels) \(sample.value)\n" }
        }
        let pairs = metrics.handshakes.sorted { $0.key < $1.key }
        family(
            "handshake_attempts", "gauge", "TLS handshakes begun, by pair and mode.",
            pairs.map { (label("pair", $0.key), "\($0.value.attempts)") })
        family(
            "handshakes_accepted", "gauge", "TLS handshakes that both sides accepted.",
            pairs.map { (label("pair", $0.key), "\($0.value.accepted)") })
        family(
            "handshake_failures", "gauge", "TLS handshakes that failed, by reason.",
            pairs.flatMap { pair, value in
                value.failuresByReason.sorted { $0.key < $1.key }.map { reason, count in
                    ("{pair=\"\(quoted(pair))\",reason=\"\(quoted(reason))\"}", "\(count)")
                }
            })
        text += latencySummary(pairs)
        family(
            "attestations", "gauge", "Attestations by result.",
            [
                (label("result", "accepted"), "\(metrics.attestationsAccepted)"),
                (label("result", "failed"), "\(metrics.attestationFailuresByReason.values.reduce(0, +))"),
            ])
        family("certificates_issued", "gauge", "Certificate pairs issued to devices.", [("", "\(metrics.certificatesIssued)")])
        family(
            "certificates_expired", "gauge", "Certificates that ended before they were renewed.", [("", "\(metrics.certificatesExpired)")]
        )
        family(
            "availability_ratio", "gauge", "Share of a device's exchanges that succeeded.",
            metrics.availability.sorted { $0.key < $1.key }.map { (label("device", $0.key), "\($0.value)") })
        family(
            "room_temperature_celsius_max", "gauge", "Warmest that a cold room was.",
            metrics.rooms.sorted { $0.key < $1.key }.map { (label("device", $0.key), "\(Double($0.value.maximumMillicelsius) / 1000)") })
        let use = (metrics.use ?? [:]).sorted { $0.key < $1.key }
        func used(_ name: String, _ help: String, _ value: (ResourceUse) -> String) {
            family(name, "gauge", help, use.map { (label("device", $0.key), value($0.value)) })
        }
        used("device_cpu_seconds", "Time in which a device has computed, by its own clock.") { "\(Double($0.cpuNanoseconds) / 1e9)" }
        used("device_sent_bytes", "What a device gave to the network.") { "\($0.sentBytes)" }
        used("device_received_bytes", "What a device got from the network.") { "\($0.receivedBytes)" }
        used("device_flash_erased_sectors", "Sectors of its flash that were erased.") { "\($0.erasedSectors)" }
        used("device_flash_programmed_bytes", "What was programmed into its flash.") { "\($0.programmedBytes)" }
        used("device_flash_most_erasures", "How often the sector was erased that was erased most often.") { "\($0.mostErasures)" }
        updateFamilies(family)
        family(
            "attack_compromised", "gauge", "1 if the attack reached its goal.",
            verdicts.map {
                ("{attack=\"\(quoted($0.attack))\",step=\"\(quoted($0.step))\"}", $0.outcome == .compromised ? "1" : "0")
            })
        family(
            "attack_targets", "gauge", "Targets of an attack by how it ended for them.",
            verdicts.flatMap { verdict in
                Verdict.Outcome.allCases.map { outcome in
                    (
                        "{attack=\"\(quoted(verdict.attack))\",step=\"\(quoted(verdict.step))\",outcome=\"\(outcome.rawValue)\"}",
                        "\(verdict.targets.count { $0.outcome == outcome })"
                    )
                }
            })
        return text + "# EOF\n"
    }

    private typealias Family = (_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: String)]) -> Void

    private func updateFamilies(_ family: Family) {
        family(
            "release_devices", "gauge", "Devices that a release is for.", releases.map { (label("release", $0.title), "\($0.devices)") })
        family(
            "release_installed", "gauge", "Devices that run a release at the end.",
            releases.map { (label("release", $0.title), "\($0.installed)") })
        family(
            "release_exposure_seconds", "gauge", "Time that devices spent on something older after the release, summed.",
            releases.map { (label("release", $0.title), "\($0.exposureDeviceHours * 3600)") })
        family(
            "release_reverts", "gauge", "Devices that went back from a release.",
            releases.map { (label("release", $0.title), "\($0.reverted)") })
        family(
            "release_reached_seconds", "gauge", "From the release until a share of its devices ran it.",
            releases.flatMap { release in
                release.reached.compactMap { reached in
                    reached.afterNanoseconds.map {
                        ("{release=\"\(quoted(release.title))\",share=\"\(reached.ratio)\"}", "\(Double($0) / 1e9)")
                    }
                }
            })
        family("devices_bricked", "gauge", "Devices that do not come up any more.", [("", "\(bricked.count)")])
        family(
            "alerts", "gauge", "Alerts of the service, by what was behind them.",
            [
                (label("cause", "attack"), "\(detection.all.attacks)"), (label("cause", "fault"), "\(detection.all.faults)"),
                (label("cause", "release"), "\(detection.all.releases)"), (label("cause", "outside"), "\(detection.all.outside)"),
                (label("cause", "none"), "\(detection.all.falseAlarms)"),
            ])
        family(
            "attack_detected_seconds", "gauge", "From the begin of an attack until the service noticed.",
            verdicts.compactMap { verdict in
                verdict.detectedAfterNanoseconds.map {
                    ("{attack=\"\(quoted(verdict.attack))\",step=\"\(quoted(verdict.step))\"}", "\(Double($0) / 1e9)")
                }
            })
    }

    private func latencySummary(_ pairs: [(key: String, value: Metrics.Handshakes)]) -> String {
        let measured = pairs.compactMap { pair, value in value.latency.map { (pair, $0) } }
        guard !measured.isEmpty else { return "" }
        var text = "# TYPE orrery_handshake_duration_seconds summary\n# UNIT orrery_handshake_duration_seconds seconds\n"
        text += "# HELP orrery_handshake_duration_seconds From ClientHello to Finished, as the client sees it.\n"
        for (pair, latency) in measured {
            for (quantile, value) in [("0.5", latency.p50Nanoseconds), ("0.9", latency.p90Nanoseconds), ("0.99", latency.p99Nanoseconds)] {
                text += "orrery_handshake_duration_seconds{pair=\"\(quoted(pair))\",quantile=\"\(quantile)\"} \(Double(value) / 1e9)\n"
            }
            text += "orrery_handshake_duration_seconds_count\(label("pair", pair)) \(latency.count)\n"
        }
        return text
    }

    private func label(_ name: String, _ value: String) -> String { "{\(name)=\"\(quoted(value))\"}" }

    private func quoted(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
