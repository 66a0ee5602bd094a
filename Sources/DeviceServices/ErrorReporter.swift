import Exchange
import Wire

/// What is to be told to the service, until it has heard it (AS-40).
struct ErrorReports {
    private static let limit = 100
    private static let urgency = Duration.minutes(1)
    private(set) var pending: [ServiceAPI.ErrorReport.Event] = []
    /// Of these, the first have been sent and not yet heard.
    private var inFlight = 0
    var due = CertifiedDuty()

    mutating func add(_ event: ServiceAPI.ErrorReport.Event) { if pending.count < ErrorReports.limit { pending.append(event) } }

    /// True if the same waits already: then it counts once more.
    mutating func repeats(_ category: ReportCategory, _ description: String, seen: ServiceAPI.Sighting) -> Bool {
        guard
            let index = pending.dropFirst(inFlight).firstIndex(where: { $0.category == category && $0.description == description })
        else { return false }
        pending[index].count += 1
        pending[index].seen.add(seen)
        return true
    }

    mutating func hurry(_ now: Instant) { due.at = min(due.at, now + ErrorReports.urgency) }

    mutating func sent() -> ServiceAPI.ErrorReport {
        inFlight = pending.count
        return ServiceAPI.ErrorReport(events: pending)
    }

    mutating func answered(isHeard: Bool) {
        if isHeard { pending.removeFirst(min(inFlight, pending.count)) }
        inFlight = 0
    }
}

/// Sends what is to be reported, each day and when something is urgent.
struct ErrorReporter {
    private static let every = Duration.hours(24)

    func send(_ context: inout ServiceContext, _ out: inout Outbox) {
        context.reports.due.at = out.now + ErrorReporter.every
        guard !context.reports.pending.isEmpty else { return }
        guard context.identity.isReady else { return context.reports.due.wait() }
        let report = context.reports.sent()
        context.ask(
            .errorReport,
            Request("POST", ServiceAPI.reportPath, headers: context.sharedSecretHeader, body: JSON.encode(report)),
            context.identity.towardsService(context.identity.update, "update"), &out)
    }

    func answered(_ outcome: ClientPool<Purpose>.Outcome, _ context: inout ServiceContext, _ out: inout Outbox) {
        outcome.journal("error-report", context.serviceHost, &out)
        if case .response(let response) = outcome.result, response.isSuccess {
            context.reports.answered(isHeard: true)
        } else {
            context.reports.due.at = out.now + context.backoff.next() + .minutes(1)
            context.reports.answered(isHeard: false)
        }
    }
}
