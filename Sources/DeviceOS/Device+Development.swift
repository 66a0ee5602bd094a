import Exchange
import Formats
import Kernel
import SecureChannel
import Silicon
import Wire

/// A device that its owner develops on: with a signed capability for this device and no other it takes apps over its service port,
/// signed with the SDK's key, which everybody has (HW-22, IMG-5). They run until it restarts.
extension Device {
    struct Development {
        /// By number.
        var capabilities: [UInt16] = []
        fileprivate(set) var staged: ImagePackage?

        var isAllowed: Bool { capabilities.contains(CapabilityFile.Capability.applicationDevelopment.rawValue) }
    }

    /// Of the verifier, which speaks for the security service.
    var serviceKey: P256PublicKey? {
        devicePolicy.flatMap { [UInt8](hex: $0.verifierKey) }.flatMap { try? P256PublicKey($0) }
    }

    /// What the file in flash allows, if it is still one for this device.
    mutating func loadCapabilities() {
        development = Development()
        guard let bytes = settings?[.capabilityFile], let serviceKey,
            let file = try? CapabilityFile(bytes, for: pluton.devicePublicKey, signedBy: serviceKey)
        else { return }
        development.capabilities = file.capabilities
    }

    /// A capability file, or an app's image package.
    mutating func stage(_ bytes: [UInt8], _ out: inout Outbox) throws(RESTFailure) {
        guard let serviceKey else { throw RESTFailure(status: 503, error: "no policy image") }
        if bytes.starts(with: CapabilityFile.magic) {
            do throws(CapabilityFile.Refusal) {
                _ = try CapabilityFile(bytes, for: pluton.devicePublicKey, signedBy: serviceKey)
            } catch {
                throw RESTFailure(status: 400, error: "capability file: \(error)")
            }
            do { try settings?.set(.capabilityFile, bytes) } catch { throw RESTFailure(status: 500, error: "\(error)") }
            loadCapabilities()
            out.observe(.sideload, [.operation: "capability", .result: "accepted"])
            return
        }
        guard development.isAllowed else { throw RESTFailure(status: 403, error: "appDevelopment capability is missing") }
        guard let parsed = try? ImagePackage.parse(bytes), parsed.package.type == .applications else {
            throw RESTFailure(status: 400, error: "no image package of an app")
        }
        let sdkKey = try? P256PrivateKey(scalar: sha256(Array(ImagePackage.developmentKeyName.utf8))).publicKey
        let isSDK = sdkKey.map { Array(sha256($0.bytes)[..<20]) == parsed.package.signer } ?? false
        guard let key = isSDK ? sdkKey : trustedKeys[parsed.package.signer],
            key.isValid(signature: parsed.signature, digest: sha256(parsed.signedPart))
        else { throw RESTFailure(status: 403, error: "bad signature") }
        development.staged = parsed.package
    }

    /// Starts what was staged, in place of an app with the same component ID.
    mutating func installStaged(_ out: inout Outbox) throws(RESTFailure) {
        guard let package = development.staged else { throw RESTFailure(status: 409, error: "nothing is staged") }
        development.staged = nil
        if let index = apps.firstIndex(where: { $0.component == package.component }) { stopApp(at: index, &out) }
        apps.removeAll { $0.component == package.component }
        cores.removeAll { $0.component == package.component }
        if let reason = startApp(package, Weakness.present(in: osVersion), &out) {
            throw RESTFailure(status: 400, error: "the app cannot be started: \(reason)")
        }
        out.observe(.sideload, [.operation: "app", .app: .text(package.name), .result: "accepted"])
    }

    /// Only what came over the service port can be deleted over it; here that is what runs and lies in no flash.
    mutating func stopApp(at index: Int, _ out: inout Outbox) {
        apps[index].stop(&out)
        carryOut(apps[index].takeActions(), of: index, &out)
        out.observe(.appStopped, [.app: .text(apps[index].app), .reason: "stopped over the service port"])
    }
}

/// Why a request over the service port is refused.
struct RESTFailure: Error, Equatable {
    var status: Int
    var error: String
}
