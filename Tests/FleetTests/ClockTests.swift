import Catalogue
import Configuration
import Foundation
import Judging
import Planning
import Silicon
import Testing
import Wire

@testable import BoardSupport
@testable import DeviceServices

/// No wrong clock locks a device out for good while its service can be reached.
@Suite struct ClockTests {
    private static func topology(_ stop: String) -> String {
        Fleet.topology(
            stop: stop, devices: "wrong: { network: home, peers: [right], call-every: 30m }", "right: { network: home, call-every: 30m }")
    }

    private static let power = ["on", "off"]
    private static let errors = ["-490896h", "2h", "30h", "96000h", "-3h"]

    /// Some 56 years back, two hours, thirty, and 4,000 days: set while it runs, and while it has no power.
    @Test(arguments: errors, power) func aWrongClockIsSetRight(_ by: String, _ power: String) throws {
        let isOff = power == "off"
        let fleet = try Fleet(
            Self.topology("30h"),
            method: (isOff ? "  - { at: 1h, for: 10m, fault: power-cut, target: { devices: wrong } }\n" : "")
                + "  - { at: 65m, fault: clock-jump, by: \(by), target: { devices: wrong } }")
        let report = try fleet.run()
        let last = fleet.facts(.exchange, at: "wrong").suffix(5)
        #expect(last.count == 5 && last.allSatisfy { $0.fact.text(.result) == "accepted" }, "\(last)")
        // Sooner than the hourly telemetry could fail twice.
        let isFloor = isOff && by.hasPrefix("-") && by != "-3h"
        let set = fleet.facts(.clockSet, at: "wrong").first { ["proven", "floor"].contains($0.fact.text(.reason)) }
        let at = try #require(set?.at, "\(by), power \(power)")
        #expect(at < .start + .hours(3), "\(at), \(isFloor)")
        // What was due after it was set right is done by the right clock.
        let issued = fleet.facts(.certificateIssued, at: "wrong").last
        let right = fleet.plan.epochSeconds + (issued?.at.nanoseconds ?? 0) / 1_000_000_000 + 24 * 3600
        #expect(abs((issued?.fact.number(.notAfterSeconds) ?? 0) - right) < 60)
        #expect(report.detection.alerts.allSatisfy { !$0.isFalse }, "\(report.detection.alerts)")
    }

    /// A clock without battery begins at 1970 after each night; the device begins at what it knows.
    @Test func aDeadBatteryCostsNothing() throws {
        let nights = (0..<3).map { "  - { at: \(10 + $0 * 24)h, for: 8h, fault: power-cut, target: { devices: wrong } }\n" }.joined()
        let fleet = try Fleet(Self.topology("80h"), method: "  - { at: 1h, fault: clock-lost, target: { devices: wrong } }\n" + nights)
        _ = try fleet.run()
        let sets = fleet.facts(.clockSet, at: "wrong")
        #expect(sets.count { $0.fact.text(.reason) == "floor" } == 3, "\(sets)")
        #expect(
            sets.count { $0.fact.text(.reason) == "proven" } >= 3, "the floor is behind by what has passed since it was certified: \(sets)")
        let last = fleet.facts(.exchange, at: "wrong").suffix(5)
        #expect(last.allSatisfy { $0.fact.text(.result) == "accepted" }, "\(last)")
    }

    /// Without the control a device believes whoever tells the time, and never asks who vouches for it.
    @Test func withoutTheControlNothingIsProven() throws {
        let fleet = try Fleet(
            Self.topology("4h"), method: "  - { at: 65m, fault: clock-jump, by: 30h, target: { devices: wrong } }",
            off: [.authenticatedTime])
        _ = try fleet.run()
        #expect(fleet.facts(.clockSet, at: "wrong").allSatisfy { $0.fact[.reason] == nil })
    }

    /// However often and far a clock is set, it is set right, and nothing ends by a sum that does not fit.
    @Test(arguments: ["500000h", "-500000h"]) func aClockBeyondAllBounds(_ by: String) throws {
        let fleet = try Fleet(
            Self.topology("6h"), method: "  - { at: 65m, every: 10s, times: 30, fault: clock-jump, by: \(by), target: { devices: wrong } }")
        _ = try fleet.run()
        let last = fleet.facts(.exchange, at: "wrong").suffix(3)
        #expect(last.count == 3 && last.allSatisfy { $0.at > .start + .hours(3) && $0.fact.text(.result) == "accepted" }, "\(last)")
    }

    /// A floor comes from flash, which whoever has the chip in hand may have written.
    @Test func aFloorThatCannotBeIsNone() throws {
        let path = NSTemporaryDirectory() + "orrery-clock-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let clock = SystemClock(
            NodeSetting(name: "n", seed: 1, clock: .virtual, epochSeconds: Plan.defaultEpochSeconds), try RealTimeClock(path: path))
        for floor in [Int64.max, .min, 253_402_300_799, 4_000_000_001] { #expect(clock.raise(to: floor, .start) == nil) }
        #expect(clock.raise(to: Plan.defaultEpochSeconds + 10, .start) == 10_000_000_000)
        #expect(clock.unixSeconds(at: .start) == Plan.defaultEpochSeconds + 10)
    }
}
