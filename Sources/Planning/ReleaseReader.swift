import Catalogue
import Wire

/// Device groups, and the releases that are made for them.
extension PlanReader {
    /// `groups: { evaluation: { os-feed: retail-eval }, cautious: { update-policy: no-third-party-apps } }`.
    mutating func readGroups(_ section: Section) {
        let known = Set(plan.devices.map(\.group)).sorted()
        for (name, key, value) in document.named(section.fields["groups"], "groups") {
            guard let entry = document.section(value, "group \(name)", keys: ["os-feed", "update-policy"]) else { continue }
            // A group may be empty until devices are moved there; what looks like one that is not is a mistake.
            let suggestion = document.suggestion(name, among: known)
            if !known.contains(name), !destinations.contains(name), suggestion.hasPrefix("; did") {
                document.report(key, "no device is in the group '\(name)'\(suggestion)")
            }
            plan.groups[name] = GroupSettings(
                feed: entry.word("os-feed", of: OSFeed.self) ?? .retail, policy: entry.word("update-policy", of: UpdatePolicy.self) ?? .all)
        }
    }

    func readUpdate(_ step: Section) -> UpdateOrder? {
        let keys = [
            "image", "group", "feed", "retail-after", "signing-key", "security-version", "defect",
        ]
        guard let update = document.section(step.fields["update"], "update", keys: keys + PlanReader.termKeys),
            let word = update.text("image", isRequired: true)
        else { return nil }
        let parts = word.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
            document.report(update.fields["image"], "image: expected a name and a version, such as compressor@2 or os@26.12")
            return nil
        }
        var order = UpdateOrder(
            image: parts[0], version: parts[1],
            terms: RolloutTerms(audience: readAudience(update, isOS: parts[0] == UpdateOrder.os)),
            signingKey: update.count("signing-key", in: 1...2) ?? 1, securityVersion: update.count("security-version", in: 1...64),
            defect: update.word("defect", of: UpdateOrder.Defect.self))
        readTerms(update, &order)
        check(order, update)
        return order
    }

    static let termKeys = ["batches", "threshold", "soak", "batch-timeout"]

    /// How it spreads through a group.
    func readTerms(_ section: Section, _ order: inout UpdateOrder) {
        let batches = section.words("batches")
        for (text, node) in batches {
            let isShare = text.hasSuffix("%")
            guard let number = Int(isShare ? String(text.dropLast()) : text), (1...(isShare ? 100 : 10_000)).contains(number) else {
                document.report(node, "batches: expected counts or shares of devices, such as [1, 50%]")
                continue
            }
        }
        if section.has("batches"), batches.isEmpty { document.report(section.fields["batches"], "batches: expected at least one") }
        order.terms.batches = batches.map(\.text)
        order.terms.threshold = section.ratio("threshold") ?? 1
        order.terms.soakSeconds = (section.duration("soak") ?? .zero).components.seconds
        let timeout = section.duration("batch-timeout", atLeast: .minutes(1))?.components.seconds
        order.terms.batchTimeoutSeconds = timeout ?? usualBatchTimeoutSeconds(of: order)
    }

    /// Long enough for a device that is there half of the time: two of its checks, a day, and what it may put the release off by (UP-7).
    private func usualBatchTimeoutSeconds(of order: UpdateOrder) -> Int64 {
        let members = candidates(of: order)
        let limit = Duration.hours(order.isApp ? 72 : 24)
        let waits = members.map { device -> Duration in
            // Apps that a file brings along may put it off by themselves.
            let asks = device.apps.contains { plan.apps[$0] != nil } ? limit : .zero
            let deferral = max(asks, min(limit, .nanoseconds(device.deferUpdatesNanoseconds)))
            return .nanoseconds(device.updateEveryNanoseconds) * 2 + deferral
        }
        let wait = min((waits.max() ?? .zero), .seconds(365 * 86_400)) + .hours(24)
        return max(.hours(72), wait).components.seconds
    }

    /// `operator: withdraw`, with or without an `image: compressor@3`: the last release before it.
    func readWithdrawal(_ section: Section, _ step: Step) -> Withdrawal? {
        guard step.act == .operate(.withdraw) else { return nil }
        let wanted = section.text("image")
        let releases = plan.steps.filter { other in
            guard case .update(let order) = other.act, other.at <= step.at else { return false }
            return wanted == nil || order.title == wanted
        }
        guard let release = releases.max(by: { $0.at < $1.at }) else {
            document.report(
                section.fields["image"] ?? section.node,
                wanted.map { "withdraw: no step before it releases '\($0)'" } ?? "withdraw: no step before it releases anything")
            return nil
        }
        return Withdrawal(step: step.id, release: release.id)
    }

    private func readAudience(_ update: Section, isOS: Bool) -> Audience {
        guard update.has("feed") else {
            if update.has("retail-after") { document.report(update.fields["retail-after"], "retail-after: only what goes to a feed") }
            let groups = Set(plan.devices.map(\.group)).sorted()
            return .group(update.text("group") ?? (groups.count == 1 ? groups[0] : "production"))
        }
        if update.has("group") { document.report(update.fields["group"], "a release goes to a group or to a feed, not to both") }
        if !isOS { document.report(update.fields["feed"], "feed: only an OS is published on feeds") }
        let feed = update.word("feed", of: OSFeed.self) ?? .retail
        if feed == .retail && update.has("retail-after") {
            document.report(update.fields["retail-after"], "retail-after: only what goes to retail-eval first")
        }
        return .feed(feed, leadSeconds: update.duration("retail-after")?.components.seconds ?? Audience.usualLeadSeconds)
    }

    private func check(_ order: UpdateOrder, _ update: Section) {
        let image = update.fields["image"]
        if case .group(let group) = order.terms.audience {
            let groups = plan.allGroups.keys.sorted()
            let isEmpty = !plan.devices.contains { $0.group == group }
            // Whoever is moved there brings along what he has.
            let members = plan.devices.filter {
                $0.group == group || destinations.contains(group) || isEmpty && groups.contains(group)
            }
            let known = [UpdateOrder.os, UpdateOrder.keystore] + Set(members.flatMap(\.apps)).sorted()
            if members.isEmpty {
                document.report(
                    update.fields["group"] ?? update.node, "unknown group '\(group)'\(document.suggestion(group, among: groups))")
            } else if !known.contains(order.image) {
                document.report(
                    image, "no device of the group '\(group)' has '\(order.image)'\(document.suggestion(order.image, among: known))")
            } else {
                checkFeatures(of: order, group: group, update)
            }
        }
        if order.image == UpdateOrder.os, !Plan.isRelease(order.version) {
            document.report(image, "os: expected a release by its year and month, such as os@26.12")
        }
        if order.image == UpdateOrder.keystore, order.version != "2" {
            document.report(image, "the factory has a second generation of keys only: keystore@2")
        } else if order.image != UpdateOrder.os, !(2...64).contains(Int(order.version) ?? 0) {
            document.report(image, "a version is a whole number from 2 to 64, as fuses count")
        }
        if order.image == UpdateOrder.keystore && order.securityVersion != nil {
            document.report(update.fields["security-version"], "security-version: a keystore's is the number of its generations")
        }
        if let defect = order.defect, order.image == UpdateOrder.keystore || defect.isOfApps != order.isApp {
            let words = UpdateOrder.Defect.allCases.filter { $0.isOfApps == order.isApp }.map(\.rawValue).joined(separator: ", ")
            document.report(
                update.fields["defect"],
                order.image == UpdateOrder.keystore
                    ? "defect: a keystore has none" : "defect: \(order.isApp ? "an app" : "an OS") can have \(words)")
        }
    }
}
