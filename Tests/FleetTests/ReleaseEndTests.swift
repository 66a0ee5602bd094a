import Catalogue
import Judging
import Planning
import Testing
import Wire

/// Every rollout ends, updates are put off for so long and no longer, and what was released can be taken back.
@Suite struct ReleaseEndTests {
    private static func topology(stop: String, _ devices: String...) -> String {
        Fleet.topology(stop: stop, devices: devices.joined(separator: "\n  "))
    }

    private static let fridge = "{ network: home, apps: [compressor], update-every: 10m }"

    // MARK: Deferral

    private static let deferring = topology(
        stop: "2h", "fridge: { network: home, apps: [compressor], update-every: 10m, defer-updates: 40m }")

    /// A restart does not begin the time anew; it ends while the power is away, and then there is none left.
    @Test(arguments: [(off: "20m", back: "5m", due: 46), (off: "30m", back: "30m", due: 60)])
    func deferralCountsFromWhenTheDeviceLearntOfIt(_ cut: (off: String, back: String, due: Int64)) throws {
        let fleet = try Fleet(
            Self.deferring,
            method: """
                  - { at: 5m, update: { image: compressor@2 }, expect: { installed: 100%, bricked: 0, rollout: complete } }
                  - { at: 6m, operator: check-updates, target: { devices: fridge } }
                  - { at: \(cut.off), for: \(cut.back), fault: power-cut, target: { devices: fridge } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        let final = try #require(fleet.facts(.updateEvent).first { $0.fact.text(.status) == "final" })
        let after = final.at - .start
        #expect((Duration.minutes(cut.due)..<Duration.minutes(cut.due + 1)).contains(after), "\(after)")
        #expect(fleet.facts(.updateEvent).count { $0.fact.text(.status) == "pending" } == 2)
    }

    /// UP-7: an OS waits for a day at most, whatever the device would like.
    @Test func nobodyDefersForLongerThanIsAllowed() throws {
        let fleet = try Fleet(
            Self.topology(stop: "30h", "fridge: { network: home, update-every: 1h, defer-updates: 90h }"),
            method: """
                  - { at: 5m, update: { image: os@26.12 }, expect: { installed: 100% } }
                  - { at: 6m, operator: check-updates, target: { devices: fridge } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        let installed = try #require(fleet.facts(.updateInstalled).first).at - .start
        #expect((Duration.hours(24) + .minutes(6)..<Duration.hours(24) + .minutes(8)).contains(installed), "\(installed)")
    }

    /// What waits on a device when its rollout is halted is never installed there.
    @Test func whatWaitsIsLetGoWhenItsRolloutIsHalted() throws {
        let fleet = try Fleet(
            Self.topology(stop: "2h", "early: \(Self.fridge)", "late: \(Self.fridge.replacing(" }", with: ", defer-updates: 60m }"))"),
            method: """
                  - { at: 5m, update: { image: compressor@2, defect: crash }, expect: { rollout: halted, bricked: 0 } }
                  - { at: 6m, operator: check-updates, target: { devices: all } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.updateEvent, at: "late").map { $0.fact.text(.status) ?? "" } == ["pending", "deferred", "withdrawn"])
        #expect(fleet.facts(.updateInstalled).allSatisfy { $0.node == "early" })
        #expect(report.releases.first?.rolloutWords.hasPrefix("halted: 1 of 2 failed, 0 allowed: app crashed") == true)
    }

    /// Power goes at any operation of the flash while metadata, new roots and deferrals are written: they are there afterwards.
    @Test func deferralsAndRotationsSurviveAPowerCutAtAnyOperation() throws {
        var operation = 1
        while true {
            let fleet = try Fleet(
                Self.deferring.replacing("stop: 2h", with: "stop: 40m").replacing("defer-updates: 40m", with: "defer-updates: 8m"),
                method: """
                      - { at: 4m, update: { image: compressor@2 }, expect: { installed: 100%, bricked: 0 } }
                      - { at: 5m, operator: rotate-update-keys }
                      - { at: 6m, for: 10s, fault: power-cut, operation: \(operation), target: { devices: fridge } }
                      - { at: 6m, operator: check-updates, target: { devices: fridge } }
                    """)
            let report = try fleet.run()
            #expect(report.judgements.allSatisfy { $0.result == .held }, "operation \(operation): \(report.judgements)")
            let final = try #require(fleet.facts(.updateEvent).first { $0.fact.text(.status) == "final" })
            #expect(final.at < .start + .minutes(15), "operation \(operation): \(final.at)")
            #expect(fleet.facts(.updateCheck).allSatisfy { $0.fact.text(.result) != "refused" })
            // The last operation has been seen.
            if fleet.facts(.powerLost).isEmpty {
                #expect(report.faults.last?.contains("no flash operation came that it could fall into") == true)
                break
            }
            operation += 2
        }
        #expect(operation > 30)
    }

    // MARK: Ends

    /// A batch that nobody answers for ends in its time, also where nobody else is there to ask; and so does one that may go on without.
    @Test func aBatchThatGoesDarkIsHalted() throws {
        let fleet = try Fleet(
            Self.topology(stop: "8h", "fridge: \(Self.fridge)"),
            method: """
                  - { at: 20m, for: 7h, fault: power-cut, target: { devices: fridge } }
                  - { at: 30m, update: { image: compressor@2, batch-timeout: 2h }, expect: { rollout: halted } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        let halted = try #require(fleet.facts(.rolloutHalted).first)
        #expect(halted.fact.text(.label) == "no-answer")
        #expect((Duration.minutes(150)...Duration.minutes(210)).contains(halted.at - .start))
        #expect(report.releases.first?.rolloutWords == "halted: no answer from 1 of 1 within 2h, 0 allowed")
        #expect(report.detection.falseAlarms == 0)
    }

    @Test func whoIsSilentCountsAgainstTheThreshold() throws {
        let fleet = try Fleet(
            Self.topology(stop: "8h", "a: \(Self.fridge)", "b: \(Self.fridge)", "c: \(Self.fridge)"),
            method: """
                  - { at: 20m, for: 7h, fault: power-cut, target: { devices: a } }
                  - { at: 30m, update: { image: compressor@2, batches: [2], threshold: 50%, batch-timeout: 2h }, expect: { rollout: complete } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        // The second batch had to wait for the first one's time.
        #expect(try #require(fleet.facts(.updateInstalled, at: "c").first).at > .start + .minutes(150))
    }

    @Test func aNewerReleaseSupersedesAnOlderOne() throws {
        let fleet = try Fleet(
            Self.deferring.replacing("stop: 2h", with: "stop: 4h"),
            method: """
                  - { at: 5m, update: { image: compressor@2 }, expect: { rollout: superseded, installed: 100% } }
                  - { at: 20m, update: { image: compressor@3 }, expect: { rollout: complete, installed: 100% } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(report.releases.first?.rolloutWords == "superseded: by compressor@3")
    }

    /// When the run ends first, it says what a rollout waits for.
    @Test func aRolloutThatWaitsForASilentDeviceIsStuck() throws {
        let fleet = try Fleet(
            Self.topology(stop: "8h", "a: \(Self.fridge)", "b: \(Self.fridge)"),
            method: """
                  - { at: 20m, for: 9h, fault: power-cut, target: { devices: a } }
                  - { at: 30m, update: { image: compressor@2, batches: [1] } }
                """)
        let release = try #require(try fleet.run().releases.first)
        #expect(release.rollout == .stuck)
        #expect(release.rolloutReason.hasPrefix("batch 1 of 2 waits for a, silent for 7."), "\(release.rolloutReason)")
        #expect(release.rolloutReason.hasSuffix("time-out after 72h"))
    }

    @Test func whatNobodyCanTakeIsHaltedForRefusals() throws {
        let fleet = try Fleet(
            UpdateTests.topology,
            method: """
                  - { at: 5m, update: { image: compressor@3 }, expect: { installed: 100% } }
                  - { at: 1h, update: { image: compressor@2 }, expect: { rollout: halted } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        let halted = try #require(fleet.facts(.rolloutHalted).first)
        #expect(halted.fact.text(.label) == "refusals")
        #expect(
            halted.fact.text(.reason)
                == "1 of 1 refused, 0 allowed: director: compressor@2 is older than version 3, which runs")
        // What has gone wrong with one release is not said of another.
        #expect(report.releases.map(\.rollout) == [.complete, .halted])
    }

    // MARK: Going back

    @Test(arguments: ["compressor@2", "os@26.12"]) func aReleaseIsTakenBack(image: String) throws {
        let fleet = try Fleet(
            UpdateTests.topology,
            method: """
                  - { at: 5m, update: { image: \(image), security-version: 1 }, expect: { rollout: withdrawn, installed: 0% } }
                  - { at: 45m, operator: withdraw, image: \(image) }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        let proven = fleet.facts(.updateProven).count
        #expect(proven == 2, "there and back")
        #expect(report.releases.first?.installed == 0 && report.releases.first?.changes.map(\.change) == [1, -1])
        let back = image == "compressor@2" ? "back to compressor@1" : "back to Pluton-runtime@1 security-monitor@1 services@1"
        #expect(report.releases.first?.rolloutReason == back)
        #expect(fleet.facts(.updateCheck).allSatisfy { $0.fact.text(.result) != "refused" })
        #expect(fleet.facts(.alert).isEmpty && report.bricked.isEmpty)
    }

    /// UP-4: what has been proven, no device goes back behind; who has it keeps it, and nobody else gets it.
    @Test func beyondAntiRollbackNobodyGoesBack() throws {
        let method = """
              - { at: 5m, update: { image: compressor@2 } }
              - { at: 45m, operator: withdraw }
            """
        let fleet = try Fleet(UpdateTests.topology, method: method)
        let report = try fleet.run()
        let reason =
            "no way back: compressor@1 has security version 1, below the 2 of compressor@2, and no device starts less than it has proven"
        #expect(fleet.facts(.refusal, at: "service").map { $0.fact.text(.reason) } == [reason])
        #expect(report.releases.first?.rolloutWords == "complete: not withdrawn: \(reason)")
        #expect(report.releases.first?.installed == 1 && fleet.facts(.updateInstalled).count == 1)
        #expect(fleet.facts(.alert).isEmpty && fleet.facts(.updateCheck).last?.fact.text(.result) == "current")
        let free = try Fleet(UpdateTests.topology, method: method, off: [.rollbackProtection])
        #expect(try free.run().releases.first?.installed == 0)
    }

    /// What is put off while another update waits is known from when the device learnt of it, not from when its turn comes.
    @Test func theNextUpdateIsKnownWhileOneWaits() throws {
        let fleet = try Fleet(
            Self.deferring,
            method: """
                  - { at: 5m, update: { image: compressor@2 } }
                  - { at: 6m, operator: check-updates, target: { devices: fridge } }
                  - { at: 20m, update: { image: compressor@3 }, expect: { installed: 100% } }
                  - { at: 21m, operator: check-updates, target: { devices: fridge } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        let finals = fleet.facts(.updateEvent).filter { $0.fact.text(.status) == "final" }.map { $0.at - .start }
        #expect(finals.count == 2)
        #expect((Duration.minutes(61)..<Duration.minutes(62)).contains(finals.last ?? .zero), "\(finals)")
    }

    /// A release before it is what devices go back to.
    @Test func whatNoDeviceHasIsJustNotGivenOut() throws {
        let fleet = try Fleet(
            Self.deferring,
            method: """
                  - { at: 5m, update: { image: compressor@2 }, expect: { rollout: withdrawn, installed: 0% } }
                  - { at: 6m, operator: check-updates, target: { devices: fridge } }
                  - { at: 10m, operator: withdraw }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(report.releases.first?.rolloutReason == "no device has it")
        #expect(fleet.facts(.updateInstalled).isEmpty && fleet.facts(.refusal, at: "service").isEmpty)
    }

    @Test func theWayBackLeadsToTheReleaseBefore() throws {
        let fleet = try Fleet(
            UpdateTests.topology,
            method: """
                  - { at: 5m, update: { image: compressor@2, security-version: 1 } }
                  - { at: 35m, update: { image: compressor@3, security-version: 1 } }
                  - { at: 65m, operator: withdraw }
                """)
        let report = try fleet.run()
        #expect(report.releases.map(\.rolloutWords) == ["complete", "withdrawn: back to compressor@2"])
        #expect(fleet.facts(.updateInstalled).map { $0.fact.text(.image) } == ["compressor@2", "compressor@3", "compressor@2"])
    }
}
