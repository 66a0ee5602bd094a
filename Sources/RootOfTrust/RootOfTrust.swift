public import DeviceServices
public import Wire

/// What is measured before it starts, as far as it is told apart.
public enum MeasuredLayer: Sendable {
    /// The boot loader.
    case firmware
    case kernel, fileSystem
    /// Whom the boot loader and the OS believe.
    case policy
    case applications
}

/// What a board goes back to when it shows who it is and what runs on it: a TPM, or no more than a file.
public protocol RootOfTrust: AnyObject, KeyStore, AttestingEnvironment {
    /// The board gets power, or a reset.
    /// - Throws: ``RootRefusal`` if it can't be used: then nothing can be shown.
    func powerOn(at now: Instant) throws(RootRefusal)
    /// What is about to be started. Nothing is measured where nothing can keep it.
    /// - Parameter digest: SHA-256.
    func measure(_ layer: MeasuredLayer, digest: [UInt8], name: String) throws(RootRefusal)
    /// Things that were measured since the power came.
    var measurements: Int { get }
    /// The device's time goes on.
    func note(_ now: Instant)
}

public struct RootRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String
    init(_ reason: some CustomStringConvertible) { description = reason.description }
}
