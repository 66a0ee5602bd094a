import Catalogue
import Judging
import Testing
import Wire

/// What updates do to a small fleet, on a good day and on all the bad ones.
@Suite struct UpdateTests {
    static let topology = Fleet.topology(
        stop: "2h", devices: "fridge: { network: home, apps: [compressor], update-every: 10m }")

    @Test func anAppAndAnOSAreInstalledAndProven() throws {
        let fleet = try Fleet(
            Self.topology,
            method: """
                  - { at: 5m, update: { image: compressor@2 }, expect: { installed: 100%, within: 20m, bricked: 0, rollout: complete } }
                  - { at: 30m, update: { image: os@26.12 }, expect: { installed: 100%, within: 20m, bricked: 0 } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.updateProven).count == 2)
        #expect(fleet.facts(.updateEvent).map { $0.fact.text(.status) ?? "" } == ["pending", "final", "complete", "pending", "final"])
        #expect(fleet.facts(.rebooted).count == 1)
        #expect(report.metrics.exchanges == report.metrics.exchangesAccepted)
    }

    /// Power goes in the middle of every flash operation of an update, one run for each: the device comes back, runs the
    /// old or the new version, and has the new one in the end.
    @Test(arguments: ["compressor@2", "os@26.12"], [0, 1]) func powerMayGoAtEveryFlashOperation(image: String, half: Int) throws {
        var operation = 1 + half
        while true {
            let fleet = try Fleet(
                Self.topology.replacing("stop: 2h", with: "stop: 20m"),
                method: """
                      - { at: 4m, update: { image: \(image) }, expect: { installed: 100%, bricked: 0 } }
                      - { at: 5m, for: 10s, fault: power-cut, operation: \(operation), target: { devices: fridge } }
                      - { at: 5m, operator: check-updates, target: { devices: fridge } }
                    """)
            let report = try fleet.run()
            #expect(report.judgements.allSatisfy { $0.result == .held }, "operation \(operation): \(report.judgements)")
            let cuts = fleet.facts(.powerLost).count
            #expect(cuts <= 1)
            #expect(fleet.facts(.processKilled).count == cuts && fleet.facts(.processStarted).count == cuts)
            #expect(fleet.facts(.bootFailed).allSatisfy { _ in cuts == 1 })
            // The last operation of the update has been seen.
            if cuts == 0 { break }
            operation += 2
        }
        #expect(operation > (image == "compressor@2" ? 20 : 100))
    }

    /// A release that crashes: the first device goes back, nobody else gets it, and it is not tried again.
    @Test func aBadReleaseIsHaltedAfterItsFirstBatch() throws {
        let three = Self.topology.replacing("fridge: { network", with: "fridge: { count: 3, network")
        let fleet = try Fleet(
            three,
            method: """
                  - { at: 5m, update: { image: compressor@2, defect: crash, batches: [1], soak: 1m }, expect: { rollout: halted, bricked: 0 } }
                  - { at: 1h, update: { image: compressor@3 }, expect: { installed: 100% } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.updateReverted).count == 1)
        #expect(fleet.facts(.updateReverted).first?.fact.text(.reason)?.hasPrefix("app crashed") == true)
        #expect(fleet.facts(.updateInstalled).count { $0.fact.text(.image) == "compressor@2" } == 1)
        // The old app ran on: the rooms stayed cold.
        #expect(report.metrics.rooms.values.allSatisfy { $0.tooWarmSeconds == 0 })
    }

    /// The same of an app on the A7, which begins in ARM where a real-time core's begins in Thumb; on each kind of device.
    @Test(arguments: DeviceKind.allCases) func aBadAppOfTheLargeCoreIsHaltedToo(_ kind: DeviceKind) throws {
        let fleet = try Fleet(
            Fleet.topology(
                stop: "3h", devices: "lamp: { count: 3, network: home, kind: \(kind.rawValue), apps: [panel], update-every: 20m }"),
            method: """
                  - { at: 5m, update: { image: panel@2, defect: crash, batches: [1], soak: 1m }, expect: { rollout: halted, bricked: 0 } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        let reason = report.releases.first?.rolloutReason ?? ""
        #expect(reason.hasPrefix("1 of 1 failed, 0 allowed: app ended: panel: signal 4"), "\(reason)")
        #expect(fleet.facts(.updateReverted).count == 1)
        #expect(fleet.facts(.updateInstalled).count == 1)
        // What looks like an intruder's work to the service is the release's.
        #expect(report.detection.all.releases == 1 && report.detection.falseAlarms == 0, "\(report.detection.alerts)")
    }

    /// A release that every device refuses, here for its age, does not stay under way, and what is said of it is no false alarm.
    @Test func aReleaseThatNobodyCanTakeIsHalted() throws {
        let fleet = try Fleet(
            Self.topology,
            method: """
                  - { at: 5m, update: { image: compressor@3 }, expect: { installed: 100% } }
                  - { at: 1h, update: { image: compressor@2 }, expect: { rollout: halted, bricked: 0 } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.rolloutHalted).map { $0.fact.text(.image) } == ["compressor@2"])
        #expect(!fleet.facts(.alert).isEmpty && report.detection.falseAlarms == 0)
        // The director names it no longer.
        #expect(fleet.facts(.updateCheck).last?.fact.text(.result) == "current")
    }

    /// An app may put an update off: by what it asks for, and no longer than is allowed.
    @Test func anAppDefersAndIsGivenFinalNotice() throws {
        let fleet = try Fleet(
            Self.topology.replacing("update-every: 10m", with: "update-every: 10m, defer-updates: 40m"),
            method: "  - { at: 5m, update: { image: compressor@2 } }")
        _ = try fleet.run()
        let events = fleet.facts(.updateEvent)
        #expect(events.map { $0.fact.text(.status) ?? "" } == ["pending", "deferred", "final", "complete"])
        // From when the device has learnt of it, which is before all of it is there.
        #expect((Duration.minutes(40) - .seconds(5)...Duration.minutes(40)).contains(events[2].at - events[0].at))
        #expect(events[3].at - events[2].at >= .seconds(10))
    }

    /// What an OS too old for a new key does not install, it installs once the keystore has come (IMG-5).
    @Test func aRotatedSigningKeyNeedsTheNewKeystoreFirst() throws {
        let fleet = try Fleet(
            Self.topology,
            method: """
                  - { at: 5m, update: { image: compressor@2, signing-key: 2 }, expect: { installed: 100%, within: 100m } }
                  - { at: 40m, update: { image: keystore@2 }, expect: { installed: 100%, bricked: 0 } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        let refused = fleet.facts(.updateCheck).filter { $0.fact.text(.result) == "refused" }
        #expect(
            !refused.isEmpty
                && refused.allSatisfy { $0.fact.text(.reason) == "compressor@2: untrusted signer" && $0.at < .start + .minutes(60) })
    }

    /// New keys under a new root: devices follow, and later releases arrive.
    @Test func updateKeysAreRotated() throws {
        let fleet = try Fleet(
            Self.topology,
            method: """
                  - { at: 5m, update: { image: compressor@2 }, expect: { installed: 100% } }
                  - { at: 40m, operator: rotate-update-keys }
                  - { at: 1h, update: { image: compressor@3 }, expect: { installed: 100% } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.updateCheck).allSatisfy { $0.fact.text(.result) != "refused" })
    }

    /// Bits that rot are found at the next start, and the bad copies are made anew.
    @Test func rottenImagesAreRepaired() throws {
        let fleet = try Fleet(
            Self.topology,
            method: """
                  - { at: 10m, fault: flash-rot, bits: 3, target: { devices: fridge } }
                  - { at: 20m, for: 1m, fault: power-cut, target: { devices: fridge } }
                  - { at: 40m, for: 1m, fault: power-cut, target: { devices: fridge } }
                """)
        let report = try fleet.run()
        #expect(fleet.facts(.bootRepaired).count == 1)
        #expect(fleet.facts(.bootFallback).allSatisfy { $0.at < .start + .minutes(30) })
        #expect(report.bricked.isEmpty && report.metrics.devicesAttested == 1)
    }

    /// A service that cannot write refuses and says when to come back; nothing is half done, and nothing is lost.
    @Test func aFullDiskIsSurvived() throws {
        let fleet = try Fleet(
            Self.topology,
            method: """
                  - { at: 4m, for: 65m, fault: disk-full }
                  - { at: 75m, update: { image: compressor@2 }, expect: { installed: 100%, bricked: 0 } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.refusal, at: "service").contains { $0.fact.text(.reason)?.contains("full") == true })
    }

    static let groups =
        Fleet.topology(
            stop: "6h", devices: "early:  { network: home, group: evaluation, update-every: 10m }",
            "late:   { network: home, group: production, update-every: 10m }",
            "fridge: { network: home, group: cautious, apps: [compressor], update-every: 10m }") + """
            groups:
              evaluation: { os-feed: retail-eval }
              cautious:   { update-policy: no-third-party-apps }

            """

    /// AS-25: what is published for evaluation reaches everybody else later.
    @Test func theEvaluationFeedRunsAhead() throws {
        let fleet = try Fleet(
            Self.groups,
            method: """
                  - at: 30m
                    update: { image: os@26.12, feed: retail-eval, retail-after: 3h }
                    expect: { installed: 100%, bricked: 0, rollout: complete }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        let installed = fleet.facts(.updateInstalled).filter { $0.fact.text(.image)?.hasPrefix("services") == true }.map {
            ($0.node, $0.at - .start)
        }
        #expect(installed.count == 3)
        for (node, after) in installed {
            let opens = Duration.minutes(node == "early" ? 30 : 210)
            #expect((opens..<opens + .minutes(12)).contains(after), "\(node) after \(after)")
        }
        #expect(report.releases.first?.devices == 3)
    }

    /// AS-24: a group may keep apps as they are, and take the OS.
    @Test func aGroupMayRefuseAppUpdates() throws {
        let fleet = try Fleet(
            Self.groups,
            method: """
                  - { at: 30m, update: { image: compressor@2, group: cautious }, expect: { rollout: refused } }
                  - { at: 1h, update: { image: os@26.12, feed: retail }, expect: { installed: 100%, within: 30m, rollout: complete } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(report.releases.first?.installed == 0)
        #expect(report.releases.first?.rolloutWords == "refused: the group cautious takes no app updates")
    }

    /// With `renewable-security` off nobody looks.
    @Test func withoutRenewalNothingIsInstalled() throws {
        let fleet = try Fleet(Self.topology, method: "  - { at: 5m, update: { image: compressor@2 } }", off: [.renewableSecurity])
        _ = try fleet.run()
        #expect(fleet.facts(.updateCheck).isEmpty && fleet.facts(.updateInstalled).isEmpty)
    }
}

@Suite struct DetectionTests {
    /// A day in which nobody attacks, with weather: no alert at all.
    @Test func aDayWithoutAttacksRaisesNoAlert() throws {
        let fleet = try Fleet(
            AttackTests.topology.replacing("stop: 200m", with: "stop: 26h"),
            method: """
                  - { at: 1h, for: 1h, fault: loss, ratio: 20%, target: { network: home } }
                  - { at: 3h, for: 2h, fault: partition, target: { network: home } }
                  - { at: 6h, for: 10m, fault: service-kill }
                  - { at: 7h, for: 2h, fault: device-churn, every: 20m, target: { devices: all } }
                  - { at: 10h, update: { image: os@26.12 }, expect: { installed: 100%, bricked: 0 } }
                  - { at: 615m, for: 1m, fault: power-cut, operation: 30, target: { devices: oven } }
                  - { at: 12h, for: 1h, fault: clock-drift, ratio: 0.1%, target: { devices: fridge } }
                  - { at: 14h, for: 1h, fault: dns-outage, target: { network: home } }
                """)
        let report = try fleet.run()
        #expect(fleet.facts(.alert).isEmpty, "\(fleet.facts(.alert))")
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
    }

    /// A release that crashes everywhere is one finding about the group, not one about each device.
    @Test(arguments: [(devices: 3, alerts: ["crash-cluster"]), (devices: 2, alerts: [])])
    func crashesOfAGroupAreOneAlert(_ fleetOf: (devices: Int, alerts: [String])) throws {
        let fleet = try Fleet(
            UpdateTests.topology.replacing("stop: 2h", with: "stop: 26h")
                .replacing("fridge: { network", with: "fridge: { count: \(fleetOf.devices), network"),
            method: "  - { at: 5m, update: { image: compressor@2, defect: crash, threshold: 0% }, expect: { bricked: 0 } }")
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.alert).map { $0.fact.text(.rule) ?? "" } == fleetOf.alerts)
        #expect(fleet.facts(.alert).allSatisfy { $0.fact.text(.subject) == "production" })
        #expect(report.detection.all.releases == fleetOf.alerts.count && report.detection.falseAlarms == 0)
    }

    @Test func withoutErrorReportsTheServiceHearsLess() throws {
        let method = "  - { at: 40m, for: 10m, attack: downgrade, target: { devices: oven } }"
        let deaf = try Fleet(AttackTests.topology, method: method, off: [.errorReporting])
        _ = try deaf.run()
        #expect(deaf.facts(.alert).isEmpty)
        let hearing = try Fleet(AttackTests.topology, method: method)
        _ = try hearing.run()
        #expect(hearing.facts(.alert).contains { $0.fact.text(.rule) == "authentication-failures" })
    }

    @Test func silenceIsNoticed() throws {
        let fleet = try Fleet(
            Fleet.small.replacing("stop: 2h", with: "stop: 12h"),
            method: "  - { at: 1h, for: 8h, fault: partition, target: { devices: oven } }")
        let report = try fleet.run()
        #expect(fleet.facts(.alert).map { $0.fact.text(.rule) } == ["silence"])
        #expect(fleet.facts(.alert).first?.fact.text(.device) == "oven")
        // Nobody attacked, and it is no false alarm either: the network was cut.
        #expect(report.detection.falseAlarms == 0 && report.detection.all.faults == 1)
    }
}
