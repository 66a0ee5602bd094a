public import Wire

/// A release, as a campaign orders it.
public struct UpdateOrder: Sendable, Equatable, Codable {
    public enum Defect: String, Sendable, Codable, CaseIterable {
        /// The app ends in a fault as soon as it starts.
        case crash
        /// The loader finds no code in the OS.
        case noBoot = "no-boot"
        /// The OS stops answering as soon as it has started.
        case hangs
        case noNetwork = "no-network"
        /// The OS never attests.
        case failsProof = "fails-proof"
        /// The OS loses memory, and there is none left after hours.
        case slowLeak = "slow-leak"

        /// Of an app; else of an OS.
        public var isOfApps: Bool { self == .crash }
    }

    /// `os`, `keystore`, an app; or of an operator's act ``trustStore`` or ``ownership``.
    public var image: String
    /// As the file has it: `26.12` for an OS, a whole number for anything else.
    public var version: String
    public var terms: RolloutTerms
    /// Generation of the production key that signs it, from 1.
    public var signingKey: Int
    /// What anti-rollback goes by; nil for the version. Where it stays as it was, an older version may come back.
    public var securityVersion: Int?
    /// What the vendor got wrong.
    public var defect: Defect?
    /// The packages, once they are made.
    public var packages: [ReleasedPackage] = []

    public init(
        image: String, version: String, terms: RolloutTerms, signingKey: Int = 1, securityVersion: Int? = nil, defect: Defect? = nil
    ) {
        self.securityVersion = securityVersion
        self.image = image
        self.version = version
        self.terms = terms
        self.signingKey = signingKey
        self.defect = defect
    }

    public static let os = "os"
    public static let keystore = "keystore"
    /// The roots that devices trust. No app has such a name.
    public static let trustStore = "trust store"
    /// Whom devices belong to: the owner's keys and names. Its version is the name of the catalog.
    public static let ownership = "ownership"
    /// What an app cannot be called.
    public static let reserved = [os, keystore, trustStore, ownership]
    public var title: String {
        if image == UpdateOrder.ownership { return "hand-over to \(version)" }
        return version.isEmpty ? image : "\(image)@\(version)"
    }
    public var isApp: Bool { !UpdateOrder.reserved.contains(image) }

    /// Of what an operator's act has devices install: whether a boot stage that it concerns starts this or something newer.
    public func isReached(by stage: Fact) -> Bool {
        switch image {
        case UpdateOrder.trustStore: stage.number(.version) ?? 0 >= Int64(version) ?? .max
        case UpdateOrder.ownership: stage.number(.version) ?? 0 > 1
        default: false
        }
    }

    /// True if a boot stage starts a component that this release replaces.
    public func concerns(_ stage: Fact) -> Bool {
        switch image {
        case UpdateOrder.os: ["services", "root file system"].contains(stage.text(.stage))
        case UpdateOrder.keystore: stage.text(.stage) == "trusted keystore"
        case UpdateOrder.trustStore: stage.text(.stage) == "update certificate store"
        case UpdateOrder.ownership: stage.text(.stage) == "policy"
        default: stage.text(.stage) == "application" && stage.text(.image) == image
        }
    }
}
