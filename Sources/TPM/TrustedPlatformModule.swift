import CTPMPlatform
import CTPMS
import Synchronization
import TPMEvidence
public import Wire

/// A TPM 2.0 (TCG, Trusted Platform Module Library 2.0, revision 1.59): Debian's libtpms inside this process.
///
/// In a virtual run all that it draws comes from a seeded stream, and its clock shows the node's time alone: the same
/// commands at the same times give the same bytes. Its non-volatile memory is a ``TPMStateStore``, written before the
/// command that changed it is answered. Its volatile memory goes with the process: a device that is killed comes up with a
/// TPM that was not shut down (`resetCount` + 1, `safe` = no).
///
/// libtpms is one TPM for each process. With several, each takes its place there for as long as its commands last: what
/// the one before had in volatile memory is kept beside it. One alone pays nothing for that. (A timer of the one before may
/// then stand in the state of one that is started; nothing that a TPM answers depends on it.)
public final class TrustedPlatformModule: TPMTransport {
    private let chip: Chip

    /// Power on. The TPM waits for `TPM2_Startup` then.
    /// - Parameters:
    ///   - store: What ``manufacture(in:draws:clock:)`` left.
    ///   - draws: Where its randomness comes from: a stream for the seed, this TPM and this start. Nil for the process's
    ///     generator, on the wall clock.
    ///   - clock: The node's time; it never goes back while the TPM has power.
    public init(
        store: any TPMStateStore, draws: SeedStream?, clock: @escaping () -> Instant
    ) throws(TPMStateRefusal) {
        guard let state = try store.load() else { throw .notThere }
        chip = Chip(store: store, permanent: state, draws: draws, clock: clock)
        try Library.powerOn(chip)
    }

    private init(manufactured chip: Chip) { self.chip = chip }

    /// Makes a TPM with seeds and proofs of its own, once; it has power then.
    public static func manufacture(
        in store: any TPMStateStore, draws: SeedStream?, clock: @escaping () -> Instant
    ) throws(TPMStateRefusal) -> TrustedPlatformModule {
        guard try store.load() == nil else { throw .alreadyThere }
        let chip = Chip(store: store, permanent: nil, draws: draws, clock: clock)
        try Library.powerOn(chip)
        return TrustedPlatformModule(manufactured: chip)
    }

    deinit { Library.powerOff(chip) }

    /// The bus: one command as bytes, and its response. A command that is none is answered, too.
    public func transmit(_ command: [UInt8]) -> [UInt8] { Library.process(command, chip) }

    /// Bytes that are kept for this TPM while another has its place.
    public var suspendedBytes: Int { chip.suspended?.count ?? 0 }
}

/// What one TPM has while libtpms is another.
final class Chip {
    let store: any TPMStateStore
    /// The non-volatile memory as it is in the store; nil before it is manufactured.
    var permanent: [UInt8]?
    /// The volatile memory while another has its place.
    var suspended: [UInt8]?
    /// Algorithms that had not been tested then.
    var untested: [UInt16]?
    var draws: SeedStream?
    let clock: () -> Instant
    var lastRead = Instant.start
    /// While it comes up nothing is written: a state that it does not take stays as it is.
    var isUp = false
    /// It has something to be written once it is up.
    var hasPending = false

    init(store: any TPMStateStore, permanent: [UInt8]?, draws: SeedStream?, clock: @escaping () -> Instant) {
        (self.store, self.permanent, self.draws, self.clock) = (store, permanent, draws, clock)
    }
}

/// The one libtpms of this process, and whose it is at the moment.
@safe private enum Library {
    private static let lock = Mutex(())
    // Both are touched with the lock held only; the callbacks come from inside of a call that holds it.
    nonisolated(unsafe) private static var active: Chip?
    nonisolated(unsafe) private static var isSetUp = false

    static func powerOn(_ chip: Chip) throws(TPMStateRefusal) {
        let refusal = lock.withLock { _ -> TPMStateRefusal? in
            setUp()
            suspend()
            return start(chip)
        }
        if let refusal { throw refusal }
    }

    static func powerOff(_ chip: Chip) {
        lock.withLock { _ in
            chip.suspended = nil
            guard unsafe active === chip else { return }
            inside(chip, now: chip.lastRead) { TPMLIB_Terminate() }
            unsafe active = nil
        }
    }

    static func process(_ command: [UInt8], _ chip: Chip) -> [UInt8] {
        lock.withLock { _ in
            // What libtpms has as its greatest command.
            guard command.count <= 4096 else { return TPMResponse.failure(.commandSize) }
            if unsafe active !== chip {
                suspend()
                guard start(chip) == nil else { return TPMResponse.failure(.failure) }
            }
            return answer(to: command, chip)
        }
    }

    private static func answer(to command: [UInt8], _ chip: Chip, now: Instant? = nil) -> [UInt8] {
        var response: UnsafeMutablePointer<UInt8>?
        var (count, capacity): (UInt32, UInt32) = (0, 0)
        var bytes = command
        let result = inside(chip, now: now) { unsafe TPMLIB_Process(&response, &count, &capacity, &bytes, UInt32(bytes.count)) }
        defer { unsafe free(response) }
        guard result == tpms_success, let response = unsafe response else { return TPMResponse.failure(.failure) }
        return unsafe Array(UnsafeBufferPointer(start: response, count: Int(min(count, capacity))))
    }

    // MARK: Whose it is

    private static func start(_ chip: Chip) -> TPMStateRefusal? {
        unsafe active = chip
        chip.isUp = false
        // What coming back draws for its tests is not the TPM's life: it goes on as if nobody else had been there.
        let (draws, permanent) = (chip.draws, chip.permanent)
        let result = inside(chip, now: chip.suspended == nil ? nil : chip.lastRead) { tpm_platform_start() }
        let isBack = chip.suspended != nil
        if isBack {
            if result == tpms_success { retest(chip) }
            (chip.draws, chip.suspended) = (draws, nil)
        }
        guard result == tpms_success else {
            inside(chip, now: chip.lastRead) { TPMLIB_Terminate() }
            unsafe active = nil
            (chip.permanent, chip.hasPending) = (permanent, false)
            return .unusable(result)
        }
        chip.isUp = true
        guard chip.hasPending, let made = chip.permanent else { return nil }
        chip.hasPending = false
        // What coming back changed is not the TPM's life either, and is written with the next change.
        if isBack { return nil }
        do throws(TPMStateRefusal) { try chip.store.store(made) } catch { return error }
        return nil
    }

    /// Takes the volatile memory of whoever has the place, and the place. For that TPM no time passes meanwhile, and whoever tells
    /// it the time is not asked: that may be another thread's, or gone.
    private static func suspend() {
        guard let chip = unsafe active else { return }
        chip.untested = selfTest([], chip)
        var buffer: UnsafeMutablePointer<UInt8>?
        var count: UInt32 = 0
        let result = inside(chip, now: chip.lastRead) { unsafe TPMLIB_VolatileAll_Store(&buffer, &count) }
        if result == tpms_success, let buffer = unsafe buffer {
            chip.suspended = unsafe Array(UnsafeBufferPointer(start: buffer, count: Int(count)))
        }
        unsafe free(buffer)
        inside(chip, now: chip.lastRead) { TPMLIB_Terminate() }
        unsafe active = nil
    }

    /// An algorithm tests itself before its first use, and draws for that. What had been tested before is tested again at
    /// once, or it would be in the middle of the TPM's next command.
    private static func retest(_ chip: Chip) {
        guard let untested = chip.untested, let all = selfTest([], chip) else { return }
        let again = all.filter { !untested.contains($0) }
        if !again.isEmpty { _ = selfTest(again, chip) }
    }

    /// TPM2_IncrementalSelfTest: what has not been tested yet after these have been; nil if it does nothing yet.
    private static func selfTest(_ algorithms: [UInt16], _ chip: Chip) -> [UInt16]? {
        let parameters = TPMWriter.make { w in
            w.u32(UInt32(algorithms.count))
            for algorithm in algorithms { w.u16(algorithm) }
        }
        let command = TPMCommand(code: .incrementalSelfTest, parameters: parameters)
        guard var response = try? TPMResponse(answer(to: command.encoded, chip, now: chip.lastRead), handleCount: 0).parameters,
            let count = try? response.u32()
        else { return nil }
        return (0..<count).compactMap { _ in try? response.u16() }
    }

    private static func inside<T>(_ chip: Chip, now: Instant? = nil, _ body: () -> T) -> T {
        chip.lastRead = now ?? chip.clock()
        // libtpms takes a clock at zero for one that it has not read yet.
        let now = chip.lastRead.nanoseconds + 1_000_000_000
        if chip.draws == nil {
            tpm_platform_enter(now, nil)
        } else {
            unsafe tpm_platform_enter(now) { unsafe Library.draw($0, $1) }
        }
        defer { tpm_platform_leave() }
        return body()
    }

    // MARK: What libtpms asks

    private static func setUp() {
        guard unsafe !isSetUp else { return }
        unsafe isSetUp = true
        TPMLIB_ChooseTPMVersion(TPMLIB_TPM_VERSION_2)
        var callbacks = libtpms_callbacks()
        callbacks.sizeOfStruct = Int32(MemoryLayout<libtpms_callbacks>.size)
        callbacks.tpm_nvram_init = { tpms_success }
        unsafe callbacks.tpm_nvram_loaddata = { data, length, _, name in unsafe Library.load(name, data, length) }
        unsafe callbacks.tpm_nvram_storedata = { data, length, _, name in unsafe Library.store(name, data, length) }
        unsafe callbacks.tpm_nvram_deletename = { _, _, _ in tpms_success }
        callbacks.tpm_io_init = { tpms_success }
        unsafe callbacks.tpm_io_getlocality = { locality, _ in
            unsafe locality?.pointee = 0
            return tpms_success
        }
        unsafe callbacks.tpm_io_getphysicalpresence = { isPresent, _ in
            unsafe isPresent?.pointee = 0
            return tpms_success
        }
        unsafe TPMLIB_RegisterCallbacks(&callbacks)
    }

    private static func draw(_ buffer: UnsafeMutablePointer<UInt8>?, _ count: Int32) -> Int32 {
        guard let buffer = unsafe buffer, let bytes = unsafe active?.draws?.bytes(Int(count)) else { return 0 }
        for (index, byte) in bytes.enumerated() { unsafe buffer[index] = byte }
        return 1
    }

    private static func load(
        _ name: UnsafePointer<CChar>?, _ data: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt32>?
    ) -> TPM_RESULT {
        guard let name = unsafe name, let data = unsafe data, let length = unsafe length, let chip = unsafe active else {
            return tpms_failed
        }
        let state: [UInt8]? =
            switch unsafe String(cString: name) {
            case TPM_PERMANENT_ALL_NAME: chip.permanent
            case TPM_VOLATILESTATE_NAME: chip.suspended
            default: nil
            }
        guard let state else { return tpms_not_there }
        // libtpms frees it.
        guard let copy = unsafe malloc(max(1, state.count)) else { return tpms_failed }
        let bytes = unsafe copy.bindMemory(to: UInt8.self, capacity: state.count)
        for (index, byte) in state.enumerated() { unsafe bytes[index] = byte }
        unsafe data.pointee = bytes
        unsafe length.pointee = UInt32(state.count)
        return tpms_success
    }

    private static func store(_ name: UnsafePointer<CChar>?, _ data: UnsafePointer<UInt8>?, _ length: UInt32) -> TPM_RESULT {
        guard let name = unsafe name, let chip = unsafe active else { return tpms_failed }
        guard unsafe String(cString: name) == TPM_PERMANENT_ALL_NAME else { return tpms_success }
        let state = unsafe Array(UnsafeBufferPointer(start: data, count: Int(length)))
        // While it comes up it reads back what it has just written.
        chip.permanent = state
        guard chip.isUp else {
            chip.hasPending = true
            return tpms_success
        }
        do throws(TPMStateRefusal) { try chip.store.store(state) } catch { return tpms_failed }
        return tpms_success
    }
}
