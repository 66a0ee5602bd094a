import Catalogue
import Configuration
import Factory
import Foundation
import Planning
import RunFiles
import Wire

/// What technicians have been given so far, by what is on it: where it lies.
struct RecoveryMedia {
    struct Content: Hashable {
        var product: Product
        var versions: FlashBuilder.Versions
        /// The step that last changed whom devices trust; nil for none.
        var trust: String?
        var hasNewKeys: Bool
    }

    var paths: [Content: String] = [:]
}

/// What technicians have with them: the newest images by the day on which they come.
extension RunProvisioner {
    /// Writes it, where it is other than what left the factory, and once where the same is taken along again.
    /// - Parameter images: Flash content by product, as devices leave the factory.
    /// - Returns: Reference values for the verifier, of what was not there before.
    func writeRecovery(
        for step: Step, _ images: [Product: String], _ media: inout RecoveryMedia
    ) throws -> [(product: Product, measurements: [(type: UInt32, sha256: String)])] {
        let change = plan.inOrder.last { $0.rollout != nil && $0.at <= step.at }
        let hasNewKeys = plan.steps.contains { $0.at <= step.at && $0.release?.image == UpdateOrder.keystore }
        var made: [(product: Product, measurements: [(type: UInt32, sha256: String)])] = []
        for product in Set(plan.devices.filter { step.nodes.contains($0.name) }.map(Product.init)).sorted() where !product.isLinux {
            let versions = step.word("images") == "factory" ? FlashBuilder.Versions() : newest(for: product, until: step)
            guard versions != FlashBuilder.Versions() || change != nil || hasNewKeys, let image = images[product] else { continue }
            let content = RecoveryMedia.Content(product: product, versions: versions, trust: change?.id, hasNewKeys: hasNewKeys)
            let path = DeviceConfiguration.recoveryFolder(ofImage: image, for: step.id)
            if let same = media.paths[content] {
                try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: URL(fileURLWithPath: same).lastPathComponent)
                continue
            }
            media.paths[content] = path
            var trust = change.map(trust(after:)) ?? manufacturer.trust
            if hasNewKeys { trust.generations = 2 }
            let flash = try manufacturer.product(apps: try product.apps.map { try source($0) }, trust: trust, versions: versions)
            try writeRecovery(flash.flash, at: path)
            made.append((product, flash.measurements))
        }
        return made
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

    /// Whom devices trust after something has changed that.
    func trust(after change: Step) -> Trust {
        let version = plan.trustVersion(of: change)
        let heir = plan.successor(at: change.at) == nil ? nil : heir
        var trust = heir.map { manufacturer.trust(in: $0, version: version) } ?? manufacturer.trust
        trust.roots = (heir ?? manufacturer).authorities.roots(after: plan.rootRotations(until: change))
        trust.rootsVersion = UInt32(version)
        return trust
    }
}
