import Exchange
import Testing
import Wire

@testable import DeviceServices
@testable import SecurityService
@testable import UpdateDirector

@Suite struct RolloutTests {
    private func rollout(
        _ good: [String], _ bad: [String] = [], refusing: [String] = [], open: Int = 0, threshold: Double = 0.75
    ) -> Rollout {
        Rollout(
            devices: ["a", "b", "c", "d"], batches: [1, 2, 4], threshold: threshold, soakSeconds: 60, timeoutSeconds: 86_400,
            openBatch: open, succeeded: Set(good), failed: Set(bad), refused: Set(refusing), openedAt: 900, changedAt: 1000)
    }

    @Test func batchesOpenOneAfterAnother() {
        #expect(rollout([]).decide(now: 9999) == .wait)
        #expect(rollout(["a"]).decide(now: 1059) == .wait)
        #expect(rollout(["a"]).decide(now: 1060) == .open(batch: 1))
        #expect(rollout(["a", "b"], open: 1).decide(now: 1060) == .open(batch: 2))
        #expect(rollout(["a", "b", "c", "d"], open: 2).decide(now: 1060) == .complete)
        // What a device outside the open batches does is no reason for anything.
        #expect(rollout(["a"], ["d"]).decide(now: 1060) == .open(batch: 1))
    }

    @Test func tooManyFailuresHaltIt() {
        #expect(rollout([], ["a"]).decide(now: 1000) == .halt(.failures, "1 of 1 failed, 0 allowed"))
        #expect(rollout(["a", "b", "c"], ["d"], open: 2).decide(now: 1060) == .complete)
        #expect(rollout(["a", "b"], ["c", "d"], open: 2).decide(now: 1000) == .halt(.failures, "2 of 4 failed, 1 allowed"))
        // Who runs it has not failed, whatever was before.
        #expect(rollout(["a"], ["a"]).decide(now: 1060) == .open(batch: 1))
    }

    @Test func refusalsAreNoFailures() {
        var rollout = rollout([], refusing: ["a"])
        rollout.words = "no room"
        #expect(rollout.decide(now: 1000) == .halt(.refusals, "1 of 1 refused, 0 allowed: no room"))
        #expect(
            self.rollout([], ["a"], refusing: ["b", "c"], open: 2).decide(now: 1000)
                == .halt(.refusals, "1 failed and 2 refused of 4, 1 allowed"))
    }

    /// A batch that nobody answers comes to an end, and who is silent counts.
    @Test func aBatchHasATime() {
        let end: Int64 = 900 + 86_400
        #expect(rollout([]).decide(now: end - 1) == .wait)
        #expect(rollout([]).decide(now: end) == .halt(.noAnswer, "no answer from 1 of 1 within 1d, 0 allowed"))
        // As many as may fail may be silent.
        #expect(rollout(["a", "b", "c"], open: 2).decide(now: end) == .complete)
        #expect(rollout(["a", "b"], ["c"], open: 2).decide(now: end) == .halt(.noAnswer, "no answer from 1 of 4 within 1d, 1 allowed"))
        var heard = rollout(["a", "b"], open: 2)
        heard.heard = ["d"]
        #expect(
            heard.decide(now: end)
                == .halt(.noAnswer, "no answer from 2 of 4 within 1d, 1 allowed; 1 of them report and have not installed it"))
        var nobody = rollout([])
        nobody.devices = []
        #expect(nobody.decide(now: end - 1) == .wait)
        #expect(nobody.decide(now: end) == .halt(.noAnswer, "no answer within 1d: no device is there"))
        // Nothing that an operator can write overflows.
        var long = rollout([])
        long.timeoutSeconds = .max
        #expect(long.decide(now: end) == .wait)
    }

    @Test(arguments: [
        ([String](), 4, [4]), (["1", "50%"], 4, [1, 2, 4]), (["1", "50%", "100%"], 5, [1, 3, 5]), (["10"], 4, [4]),
        (["50%", "1"], 4, [2, 2, 4]),
        (["x"], 3, [3]),
    ]) func sizes(words: [String], count: Int, sizes: [Int]) { #expect(RolloutTerms.sizes(of: words, in: count) == sizes) }

    @Test func oneAddressCannotAskForEver() {
        var limiter = RateLimiter()
        let (loud, quiet) = (Address(bits: 1), Address(bits: 2))
        let admitted = (0..<500).count { _ in limiter.admits(loud, now: 100) }
        #expect(admitted == RateLimiter.perMinute)
        let (isQuietAdmitted, isLoudAdmittedLater) = (limiter.admits(quiet, now: 100), limiter.admits(loud, now: 160))
        #expect(isQuietAdmitted && isLoudAdmittedLater)
    }
}

@Suite struct ConsoleTests {
    private func talk(_ console: inout Console, _ text: [UInt8]) -> (said: String, datagrams: Int) {
        var out = Outbox(now: .start)
        console.handle(.received(StreamID(raw: 1), text), &out)
        var said: [UInt8] = []
        var datagrams = 0
        for effect in out.effects {
            if case .send(_, let bytes) = effect.action { said += bytes }
            if case .datagram = effect.action { datagrams += 1 }
        }
        return (String(decoding: said, as: UTF8.self), datagrams)
    }

    @Test func onlyTheRightPasswordLeadsToTheShell() {
        var console = Console(login: "root:secret")
        var out = Outbox(now: .start)
        console.open(StreamID(raw: 1), &out)
        #expect(talk(&console, Array("repeat 5 send 10.0.0.1 9\n".utf8)).datagrams == 0)
        #expect(talk(&console, Array("wrong\n".utf8)).said == "Login incorrect\nlogin: ")
        #expect(talk(&console, Array("root\r\nsecret\r\n".utf8)).said == "Password: # ")
        #expect(talk(&console, Array("repeat 1000000 send 10.0.0.1 9\n".utf8)).datagrams == 100)
        for line in [
            "repeat -1 send 10.0.0.1 9", "repeat 1 send 10.0.0 9", "repeat 1 send 10.0.0.999 9", "repeat 1 send 10.0.0.1 99999", "", "x",
        ] {
            #expect(talk(&console, Array("\(line)\n".utf8)).datagrams == 0)
        }
    }

    @Test func garbageDoesNotStopIt() {
        var console = Console(login: "root:secret")
        var out = Outbox(now: .start)
        console.open(StreamID(raw: 1), &out)
        _ = talk(&console, [UInt8](repeating: 0xFF, count: 100_000))
        _ = talk(&console, (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        #expect(talk(&console, Array("\nroot\nsecret\n".utf8)).said.contains("ogin"))
    }
}

@Suite struct NetworkTimeTests {
    private let now: Int64 = 1_767_225_600_123_456_789

    /// RFC 5905: what comes back is the time that was put in, to less than a nanosecond's rounding.
    @Test func roundTrip() throws {
        let request = NetworkTime.request(unixNanoseconds: now - 5_000_000_000)
        let answer = try #require(NetworkTime.answer(to: request, unixNanoseconds: now))
        let told = try #require(NetworkTime.time(in: answer, to: request))
        #expect(abs(told - now) <= 1)
        let forged = NetworkTime.restamped(answer, unixNanoseconds: 1_000_000_000)
        #expect(abs((NetworkTime.time(in: forged, to: request) ?? 0) - 1_000_000_000) <= 1)
    }

    @Test func onlyAnAnswerToOnesOwnRequestCounts() throws {
        let request = NetworkTime.request(unixNanoseconds: now)
        let answer = try #require(NetworkTime.answer(to: request, unixNanoseconds: now))
        #expect(NetworkTime.time(in: answer, to: NetworkTime.request(unixNanoseconds: now + 1000)) == nil)
        #expect(NetworkTime.answer(to: answer, unixNanoseconds: now) == nil)
        #expect(NetworkTime.answer(to: [], unixNanoseconds: now) == nil)
        #expect(NetworkTime.time(in: Array(answer.dropLast()), to: request) == nil)
        var unsynchronised = answer
        unsynchronised[1] = 0
        #expect(NetworkTime.time(in: unsynchronised, to: request) == nil)
    }

    @Test func aStrictClockBelievesMinutesAndNoMore() {
        func verdict(_ offset: Int64, isStrict: Bool) -> TimeSync.Verdict {
            var sync = TimeSync(isStrict: isStrict)
            let request = sync.request(unixNanoseconds: now)
            let answer = NetworkTime.answer(to: request, unixNanoseconds: now + offset) ?? []
            return sync.answered(answer, unixNanoseconds: now)
        }
        let hour: Int64 = 3600 * 1_000_000_000
        if case .refused = verdict(-10 * hour, isStrict: true) {} else { Issue.record("ten hours were believed") }
        if case .correct = verdict(-10 * hour, isStrict: false) {} else { Issue.record("a credulous clock was not") }
        if case .correct(let offset) = verdict(hour / 60, isStrict: true) {
            #expect(abs(offset - hour / 60) <= 2)
        } else {
            Issue.record("a minute was refused")
        }
    }
}
