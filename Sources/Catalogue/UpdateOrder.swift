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

    /// `os`, `keystore` or an app.
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
    public var title: String { "\(image)@\(version)" }
    public var isApp: Bool { image != UpdateOrder.os && image != UpdateOrder.keystore }

    /// True if a boot stage starts a component that this release replaces.
    public func concerns(_ stage: Fact) -> Bool {
        switch image {
        case UpdateOrder.os: ["services", "root file system"].contains(stage.text(.stage))
        case UpdateOrder.keystore: stage.text(.stage) == "trusted keystore"
        default: stage.text(.stage) == "application" && stage.text(.image) == image
        }
    }
}
