import Catalogue
import Factory
import Planning
import Wire

/// What technicians have with them: the newest images by the day on which they come.
extension RunProvisioner {
    /// Writes them, where they are others than those that left the factory.
    /// - Parameter images: Flash content by product, as devices leave the factory.
    /// - Returns: Reference values for the verifier.
    func recoveryMedia(
        _ step: Step, _ images: [Product: String]
    ) throws -> [(product: Product, measurements: [(type: UInt32, sha256: String)])] {
        let products = Set(plan.devices.filter { step.nodes.contains($0.name) }.map(Product.init)).sorted().filter { !$0.isLinux }
        return try products.compactMap { product in
            let versions = step.word("images") == "factory" ? FlashBuilder.Versions() : newest(for: product, until: step)
            let trust = try trust(at: step)
            guard versions != FlashBuilder.Versions() || trust != nil, let image = images[product] else { return nil }
            let made = try manufacturer.product(apps: try product.apps.map { try source($0) }, trust: trust, versions: versions)
            try writeRecovery(made.flash, of: image, for: step.id)
            return (product, made.measurements)
        }
    }

    /// Of releases that were good, and were not taken back.
    private func newest(for product: Product, until step: Step) -> FlashBuilder.Versions {
        let withdrawn = Set(plan.steps.filter { $0.at <= step.at }.compactMap(\.withdrawal?.release))
        var versions = FlashBuilder.Versions()
        for release in plan.steps where release.at <= step.at && !withdrawn.contains(release.id) {
            guard case .update(let order) = release.act, order.defect == nil else { continue }
            let security = securityVersion(order)
            if order.image == UpdateOrder.os, security > versions.osSecurity || versions.os == nil {
                (versions.os, versions.osSecurity) = (order.version, security)
            } else if product.apps.contains(order.image), version(of: order) > versions.apps[order.image]?.first ?? 1 {
                versions.apps[order.image] = [version(of: order), security]
            }
        }
        return versions
    }

    /// Whom devices are to trust by then; nil for whom they trusted first.
    private func trust(at step: Step) throws -> Trust? {
        let hasNewKeys = plan.steps.contains { $0.at <= step.at && $0.release?.image == UpdateOrder.keystore }
        guard let change = plan.steps.filter({ $0.rollout != nil && $0.at <= step.at }).max(by: { $0.at < $1.at }) else {
            var trust = manufacturer.trust
            trust.generations = 2
            return hasNewKeys ? trust : nil
        }
        let version = plan.trustVersion(of: change)
        let heir = plan.successor(at: step.at) == nil ? nil : heir
        var trust = heir.map { manufacturer.trust(in: $0, version: version) } ?? manufacturer.trust
        trust.roots = (heir ?? manufacturer).authorities.roots(after: plan.rootRotations(until: change))
        trust.rootsVersion = UInt32(version)
        if hasNewKeys { trust.generations = 2 }
        return trust
    }
}
