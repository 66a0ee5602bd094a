import SecureChannel
import Wire

extension Plan {
    /// How long a new service's first certificate and its first authority are good, in seconds: each was made some time before.
    public static let firstLives = [
        ("service", Hierarchy.Lifetime.service - Hierarchy.Lifetime.day),
        ("catalog", Hierarchy.Lifetime.catalog - Hierarchy.Lifetime.beforeStart),
    ]

    /// What ends while the run goes on, and nobody renews.
    var expiries: [String] {
        // The factory makes them some time before the devices leave it.
        let lives = [("policy", Hierarchy.Lifetime.policy), ("root", Hierarchy.Lifetime.root)]
        return lives.compactMap { name, seconds in
            let end = seconds - Hierarchy.Lifetime.beforeStart
            guard (stop - .start).components.seconds > end else { return nil }
            return "\(file): warning: the \(name) authority ends after \(end / Hierarchy.Lifetime.day)d of the run, and nobody renews it: "
                + "from then on no device can be attested"
        }
    }
}
