import Silicon

/// What a system call comes to.
enum Answer {
    case value(UInt32)
    /// Not yet; in any case by this time, in nanoseconds.
    case wait(until: Int64)
    /// The thread's registers were replaced.
    case replaced
    /// The thread is gone, or somebody else will let it go on.
    case noAnswer
}

extension SystemCall {
    /// Those that are made again after a handler with SA_RESTART (signal(7)); waits with a time are not.
    static func isRestartable(_ number: UInt32) -> Bool {
        [3, 4, 5, 54, 114, 145, 146, 283, 285, 290, 291, 292, 322, 366].contains(number)
    }
}

/// One kind of call: its number on ARM, and what it does.
struct CallEntry: Sendable {
    typealias Body = @Sendable (Kernel, Thread, [UInt32]) throws(Errno) -> Answer
    var name: String
    var body: Body
}

extension Kernel {
    func answer(_ thread: Thread, _ call: SystemCall) -> Answer {
        let texts = onCall == nil || isWaiting(thread) ? [:] : CallRecord.texts(call, thread.process)
        let answer = carryOut(thread, call)
        if let onCall { tell(onCall, thread, call, texts, answer) }
        return answer
    }

    private func carryOut(_ thread: Thread, _ call: SystemCall) -> Answer {
        guard let entry = CallTable.entries[call.number] else {
            if unknownCalls.insert(call.number).inserted {
                onEvent(now, .unknownCall(number: call.number, program: thread.process.name))
            }
            return .value(UInt32(bitPattern: -Errno.ENOSYS.rawValue))
        }
        running = thread
        defer { running = nil }
        do throws(Errno) {
            return try entry.body(self, thread, call.arguments)
        } catch {
            forgetWait(thread)
            return .value(UInt32(bitPattern: -error.rawValue))
        }
    }

    private func tell(
        _ told: (Int64, CallRecord) -> Void, _ thread: Thread, _ call: SystemCall, _ texts: [Int: String], _ answer: Answer
    ) {
        var record = CallRecord(thread, call, texts)
        switch answer {
        case .wait: return
        case .value(let value): record.result = Int32(bitPattern: value)
        case .replaced: record.result = 0
        case .noAnswer: break
        }
        told(now, record)
    }

    /// Waits on, or for so long from now on; nil is for ever.
    func wait(_ thread: Thread, _ nanoseconds: Int64? = nil) -> Answer {
        if case .waiting = thread.state { return .wait(until: thread.deadline) }
        guard let nanoseconds else { return .wait(until: .max) }
        return .wait(until: time(in: nanoseconds))
    }

    /// So long from now on; `.max` for what is too far away to be told.
    func time(in nanoseconds: Int64) -> Int64 {
        let (end, isTooFar) = now.addingReportingOverflow(nanoseconds)
        return isTooFar ? .max : end
    }

    /// The time of a call that waits is over.
    func isOver(_ thread: Thread) -> Bool {
        if case .waiting = thread.state { thread.deadline <= now } else { false }
    }

    func isWaiting(_ thread: Thread) -> Bool { if case .waiting = thread.state { true } else { false } }
}

/// All calls, by number.
enum CallTable {
    static let entries: [UInt32: CallEntry] = {
        var table: [UInt32: CallEntry] = [:]
        for group in [
            files, paths, statuses, memory, processes, scheduling, signals, times, events, sockets, messages, refused,
        ] {
            for (number, name, body) in group { table[number] = CallEntry(name: name, body: body) }
        }
        return table
    }()

    typealias Group = [(UInt32, String, CallEntry.Body)]

    /// A call that gives one number back.
    static func gives(_ body: @escaping @Sendable (Kernel, Thread, [UInt32]) throws(Errno) -> UInt32) -> CallEntry.Body {
        { kernel, thread, arguments throws(Errno) in .value(try body(kernel, thread, arguments)) }
    }

    /// A call that only succeeds or fails.
    static func does(_ body: @escaping @Sendable (Kernel, Thread, [UInt32]) throws(Errno) -> Void) -> CallEntry.Body {
        { kernel, thread, arguments throws(Errno) in
            try body(kernel, thread, arguments)
            return .value(0)
        }
    }

    static func constant(_ value: UInt32) -> CallEntry.Body { { _, _, _ throws(Errno) in .value(value) } }
}
