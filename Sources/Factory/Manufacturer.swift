import Formats
import FoundationEssentials
import SecureChannel

/// Whoever makes a fleet and keeps its keys: certification authorities, the keys of both update repositories, and the factory.
public struct Manufacturer {
    public let authorities: Authorities
    public let images: UpdateAuthority
    public let director: UpdateAuthority
    public let factory: FlashBuilder
    /// What devices trust that leave the factory.
    public let trust: Trust
    /// What the whole fleet shares where certificates are off: 16 bytes in hex.
    public let sharedSecret: String

    /// Draws all keys.
    ///
    /// - Parameters:
    ///   - end: Until when, in Unix seconds, what keyholders sign from time to time lies ready.
    ///   - rotations: What keyholders are to replace, in its order.
    ///   - loader: Machine code of the first boot loader, as it lies from `FlashLayout.loaderAddress` on.
    ///   - takesOver: Devices come from another maker: what they are to trust says whose they are.
    ///   - draws: Gives all random bytes of this process from now on; nil for the system's generator.
    public init(
        catalog: String, serviceHost: String, osVersion: String, unixSeconds: Int64, until end: Int64, rotations: [Rotation],
        loader: [UInt8], takesOver: Bool = false, draws: ((Int) -> [UInt8])?
    ) throws {
        if let draws { Randomness.replace(with: draws) }
        authorities = try Authorities(
            catalogName: catalog, serviceHost: serviceHost, unixSeconds: unixSeconds, rotations: rotations)
        images = UpdateAuthority(unixSeconds: unixSeconds, until: end, rotations: rotations)
        director = UpdateAuthority(unixSeconds: unixSeconds, until: end, rotations: rotations)
        let policy = DevicePolicy(
            directorRoot: Data(director.root).base64EncodedString(), imageRoot: Data(images.root).base64EncodedString(),
            verifierKey: authorities.verifierKey.key.publicKey.bytes.hex, catalog: takesOver ? catalog : nil)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        trust = Trust(roots: authorities.roots(), policy: Array(try encoder.encode(policy)) + [UInt8(ascii: "\n")])
        factory = FlashBuilder(osVersion: osVersion, unixSeconds: unixSeconds, loader: loader)
        sharedSecret = Randomness.bytes(16).hex
    }

    /// One product as it leaves the factory: 16 MiB of flash, and the verifier's reference values: type of each image, and the SHA-256 of
    /// its package in hex.
    /// - Parameters:
    ///   - userland: Of a Linux board; nil for the chip of Azure Sphere.
    ///   - trust: Another owner's; nil for this maker's.
    ///   - versions: Where it is not as devices leave the factory first.
    public func product(
        apps: [AppSource], userland: FlashBuilder.Userland? = nil, trust: Trust? = nil,
        versions: FlashBuilder.Versions = .init()
    ) throws -> (flash: [UInt8], measurements: [(type: UInt32, sha256: String)]) {
        let product =
            if let userland {
                try factory.buildLinux(apps: apps, trust: trust ?? self.trust, userland: userland)
            } else {
                try factory.build(apps: apps, trust: trust ?? self.trust, versions)
            }
        return (product.flash, product.measurements.map { ($0.type, $0.sha256.hex) })
    }

    /// What devices of this maker trust when they are another owner's.
    /// - Parameter version: Of trust stores, counted over all that the fleet has had.
    public func trust(in heir: Manufacturer, version: Int) -> Trust {
        var trust = heir.trust
        (trust.rootsVersion, trust.policyVersion) = (UInt32(version), 2)
        (trust.generations, trust.heir) = (factory.osKeys.count, heir.factory)
        return trust
    }

    /// SHA-256 of the key that signs boot images, in hex: what is fused.
    public var bootKeyHash: String { factory.bootKeyHash.hex }

    /// Which hardware images are for, in hex (RFC 9783 implementation ID).
    /// - Parameter name: Of the hardware, such as ``SiliconModel/name``.
    public static func hardwareID(_ name: String) -> String { sha256(Array(name.utf8)).hex }

    /// All that the service may hold, by file name: no root key, and not the key that signs boot loaders.
    public var serviceFiles: [String: [UInt8]] {
        var files = authorities.files
        for more in [images.files("images"), director.files("director")] { files.merge(more) { _, new in new } }
        for generation in 1...2 {
            files["sign-os-\(generation).key"] = factory.osKeys[generation - 1].scalar
            files["sign-app-\(generation).key"] = factory.appKeys[generation - 1].scalar
        }
        files["development.pub"] = factory.developmentKey.key.publicKey.bytes
        return files
    }

    /// What thieves find: certificates DER in base64, the issuer behind, and keys as scalars in hex.
    public var stealable: (service: (chain: [String], key: String), catalog: (chain: [String], key: String), updates: [String: String]) {
        func text(_ chain: [Certificate]) -> [String] { chain.map { Data($0.der).base64EncodedString() } }
        var updates: [String: String] = [:]
        for (name, authority) in [("images", images), ("director", director)] {
            // The first generation, which is in use.
            for (file, bytes) in authority.files(name) where file.hasPrefix("\(name)-1-") && file.hasSuffix(".key") {
                updates[file.replacing("-1-", with: "-").replacing(".key", with: "")] = bytes.hex
            }
        }
        return (
            (text([authorities.expired, authorities.catalog, authorities.policy]), authorities.expiredKey.scalar.hex),
            (text([authorities.catalog, authorities.policy]), authorities.catalogKey.scalar.hex), updates
        )
    }
}
