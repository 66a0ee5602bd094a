import Testing
import Wire

@testable import DeviceServices

/// Since when a device knows of updates, as its settings keep it.
@Suite struct KnownUpdatesTests {
    private static let (first, second) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))

    private func staged(_ digest: [UInt8]) -> StagedImage {
        StagedImage(
            reference: .init(number: 10), type: .init("application", .applications), name: "x@2", version: 2, securityVersion: 2,
            sha256: digest, length: 1, place: 0)
    }

    @Test func theFirstTimeCounts() {
        var known = KnownUpdates([])
        known.learn([Self.first], at: 1000)
        known.learn([Self.second, Self.first], at: 1500)
        let kept = KnownUpdates(known.encoded)
        #expect(kept == known)
        #expect(kept.age(of: [staged(Self.first)], at: 1600) == .seconds(600))
        #expect(kept.age(of: [staged(Self.second)], at: 1600) == .seconds(100))
        #expect(kept.age(of: [staged(Self.second), staged(Self.first)], at: 1600) == .seconds(600))
        // What is wanted no longer is forgotten.
        known.learn([Self.second], at: 1700)
        known.learn([Self.second, Self.first], at: 1800)
        #expect(known.age(of: [staged(Self.first)], at: 1800) == .zero)
    }

    /// A clock that was set back says nothing of what was before: nothing is put off for longer than from now on.
    @Test func aClockThatWasSetBackBeginsAnew() {
        var known = KnownUpdates([])
        known.learn([Self.first], at: 5000)
        #expect(known.age(of: [staged(Self.first)], at: 1000) == .zero)
        known.learn([Self.first], at: 1000)
        #expect(known.age(of: [staged(Self.first)], at: 1300) == .seconds(300))
    }

    /// Whatever a torn record holds.
    @Test func anyBytesAreTaken() {
        for count in [0, 1, 39, 40, 41, 79, 80, 4000] {
            let known = KnownUpdates([UInt8](repeating: 0xFF, count: count))
            #expect(known.encoded.count == min(count / 40, 64) * 40)
            _ = known.age(of: [staged([UInt8](repeating: 0xFF, count: 32))], at: .max)
        }
        var least = KnownUpdates([UInt8](repeating: 1, count: 32) + [0, 0, 0, 0, 0, 0, 0, 0x80])
        #expect(least.age(of: [staged(Self.first)], at: .max) == .zero)
        least.learn([Self.first], at: .min)
    }
}
