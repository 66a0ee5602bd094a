public import BoardSupport
public import Configuration
import Formats
public import SecureChannel
public import Silicon
public import Wire

/// An image that a device has started, as its REST interface tells of it (REST-1).
public struct Component: Encodable, Sendable {
    var uid: String
    var name: String
    var type: String
    var securityVersion: UInt32
    var slot: String
}

/// An MT3620: its memories, its security processor and its clock, and what it has started.
public struct MT3620Chip {
    private let rom: ELFImage
    public let flash: Flash
    private let fuses: FuseBank
    public let pluton: Pluton
    public let clock: RealTimeClock
    private let protections: Protections
    private let cost: CryptoCost
    /// What a technician has sent to it before it starts; nil for nothing.
    let recoveryOrder: RecoveryOrder?
    private let name: String
    /// What this start has found, with the keys that it trusts.
    private var chain: BootChain?
    private var booted = BootedSoftware()

    /// Opens its files; makes keys on a chip that has never had power.
    public init(_ configuration: DeviceConfiguration) throws {
        let path = configuration.statePath
        protections = configuration.protections
        cost = configuration.cryptoCost
        (recoveryOrder, name) = (configuration.recovery, configuration.setting.name)
        rom = try SecurityCore.readROM(path: configuration.romPath)
        fuses = try FuseBank(path: path + "/fuses.bin")
        flash = try Flash(basePath: configuration.baseImagePath, overlayPath: path + "/flash.bin")
        if fuses.isBlank { fuses.burnBootKeyHash([UInt8](hex: configuration.bootKeyHash) ?? []) }
        pluton = try Pluton(fuses: fuses, flash: flash, storage: protections.hardwareRootOfTrust ? .fuses : .flash)
        clock = try RealTimeClock(path: path + "/rtc.bin")
    }

    // MARK: What others know of it

    public var devicePublicKey: P256PublicKey { pluton.devicePublicKey }
    public var securityState: String { "\(fuses.securityState)" }
    public var manufacturingState: String { "\(fuses.manufacturingState)" }
    public var measurements: Int { pluton.measurements.count }
    /// In the middle of an operation of its flash: nothing works any more. How many operations there were.
    public var powerLostAfter: Int? { flash.hasLostPower ? flash.operations : nil }
    public var flashUse: ResourceUse { flash.use }

    public func openSettings() throws(SiliconError) -> SettingsStore { try SettingsStore(flash: flash) }

    /// Pluton as the A7 reaches it.
    public func mailbox(seed: [UInt8]) -> PlutonMailbox { PlutonMailbox(pluton: pluton, fuses: fuses, seed: seed) }

    /// Whether somebody with a probe on the debug pins gets in.
    public func isDebugOpen(_ capabilities: [UInt16]) -> Bool {
        DebugLock(isFitted: protections.debugLock, capabilities: capabilities).isOpen(in: fuses.securityState)
    }

    // MARK: What it has started

    /// Power is on: up to the OS's services. False if it did not come up; the observations say why.
    /// - Parameter glitch: A fault that somebody makes meanwhile, such as `1234:skip`.
    public mutating func boot(glitch: String? = nil, _ out: inout Outbox) -> Bool {
        var chain = BootChain(
            rom: rom, flash: flash, fuses: fuses, pluton: pluton, isSecure: protections.secureBoot,
            refusesOldVersions: protections.rollbackProtection, cost: cost)
        guard let booted = chain.run(glitch: glitch.flatMap { Glitch($0) }, &out) else { return false }
        (self.chain, self.booted) = (chain, booted)
        return true
    }

    /// Checks and measures the apps anew, as flash has them now; false if it can't be told what they are.
    public mutating func restartApps(_ out: inout Outbox) -> Bool {
        guard let images = chain?.restart(.applications, &out) else { return false }
        booted.images[.applications] = images
        return true
    }

    /// A reset: RAM is gone.
    public func reset() { pluton.restart() }

    public var software: FlashSoftware {
        let (pluton, isRefusing) = (pluton, protections.rollbackProtection)
        return FlashSoftware(
            flash: flash, booted: booted,
            .init(
                osImage: .services, hardwareID: Pluton.implementation.hex, trustedKeys: protections.secureBoot ? trustedKeys : nil,
                floor: { isRefusing ? Int64(pluton.counter(BootChain.counter($0.type, $0.ordinal))) : 0 },
                raiseFloor: { image in
                    pluton.raiseCounter(
                        BootChain.counter(image.package.type, image.ordinal), to: Int(image.package.securityVersion))
                },
                // Pluton's list of measurements grows with each, and ends (HW-29).
                canStartApps: { pluton.measurements.count + $0 <= Pluton.measurementLimit },
                monitor: .init(keys: trustedKeys) { UInt32(pluton.counter(BootChain.counter($0, 0))) }))
    }
    /// As the service port tells of them.
    public var components: [Component] {
        booted.all.map { image in
            Component(
                uid: image.digest.hex.digestHead, name: image.package.name, type: image.package.type.name,
                securityVersion: image.package.securityVersion, slot: image.slot.name)
        }
    }
    /// Of the verifier, which speaks for the security service.
    public var verifierKey: P256PublicKey? { booted.verifierKey }
    /// Keys of the trusted keystore, by the ID that images name them with.
    public var trustedKeys: [[UInt8]: P256PublicKey] { chain?.trusted ?? [:] }
    /// What the OS prints when it starts: its stage, its version and what it is hardened against.
    public var banner: String {
        String(decoding: booted.images[.services]?.first?.package.body.prefix { $0 != 10 }.prefix(200) ?? [], as: UTF8.self)
    }

    // MARK: Faults, and recovery

    public func cutPower(duringFlashOperation count: Int) { flash.cutPower(duringOperation: count) }

    public func rot(_ rot: FlashRot, _ out: inout Outbox) { rot.apply(to: flash, of: name, &out) }

    /// The core that boots, with nothing started on it.
    func openSecurityCore() throws(SiliconError) -> SecurityCore { try SecurityCore(rom: rom) }

    /// What boot code finds when RTS of the debug UART is held.
    var strapped: BootSurroundings {
        let flash = flash
        var surroundings = BootChain.surroundings(
            fuses: fuses, pluton: pluton, flash: flash, isSecure: protections.secureBoot,
            refusesOldVersions: protections.rollbackProtection, cost: cost)
        surroundings.changeFlash = { change in
            do throws(SiliconError) {
                switch change {
                case .erase(let sector): try flash.erase(sector: sector)
                case .program(let offset, let bytes): try flash.program(offset, bytes)
                }
                return true
            } catch { return false }
        }
        return surroundings
    }
}
