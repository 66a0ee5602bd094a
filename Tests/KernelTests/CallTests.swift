import Emulator
import Formats
import Kernel
import Testing

/// What system calls do, right and wrong; and apps within their manifests.
@Suite struct CallTests {
    /// An engine that is told to stop at 0 would run for ever.
    @Test(arguments: ["", "thumb"]) func aCallThroughANullPointerEndsInAFault(state: String) throws {
        let program = try Program.own("null", state, seconds: 1)
        #expect(program.end == .killed(signal: SignalNumber.segmentation))
    }

    @Test func threadsSignalsAndMemory() throws {
        let run = try Program.own("threads")
        #expect(
            run.lines.map { $0.replacing(/0x[0-9a-f]{5,}/, with: "PAGE") } == [
                "total 4000, sum 64", "signal 994, 3.25 3.00", "blocked 0", "unblocked 1000", "sleep -1 Interrupted system call",
                "both: Operation not permitted", "to code: Operation not permitted", "fault 11 at PAGE", "fault 11 at PAGE", "rest 0",
                "child: signalled 1 11",
            ])
        #expect(run.end == .exited(0))
        guard case .crashed("threads", let record)? = run.events.first, record.signal == 11, record.address == 0x10 else {
            Issue.record("no crash record")
            return
        }
        #expect(record.pc > 0x1_0000)
    }

    @Test func filesAndWaiting() throws {
        let run = try Program.own("files")
        #expect(
            run.lines == [
                "writev 11", "seek 6", "read 5", "world, 100640, 11 bytes", "pwrite 1", "truncate 0", "exclusive -1 File exists",
                "read-only -1 Permission denied", "no file -1 No such file or directory", "no folder -1 Not a directory",
                "folder -1 Is a directory", "bad address -1 Bad address", "bad descriptor -1 Bad file descriptor", "append 4", "link 3",
                "through 5", "loop -1 Too many levels of symbolic links", "not empty -1 Directory not empty", ". .. d link loop ", "dup 40",
                "flags 2", "pipe 0", "empty -1 Resource temporarily unavailable", "poll 0", "waited 250 ms", "poll 1", "ready 2: 0 2",
                "event 3",
                "ready 1: 1", "expired 3", "again -1 Resource temporarily unavailable", "select 1", "end 0",
                "epoll of a file -1 Operation not permitted", "clock 1767225600", "set clock -1 Operation not permitted", "random 4",
                "unknown -1 Function not implemented", "too many -1 Too many open files", "last 1023",
            ])
        #expect(run.events == [.unknownCall(number: 444, program: "files")])
    }

    /// The same program says the same under Linux, but for what a user, and this OS, may not (raw sockets, other people's files, mounts,
    /// memory that files share), and for interfaces.
    @Test func ordinaryProgramsMakeOtherCallsToo() throws {
        let run = try Program.own("calls")
        #expect(
            run.lines == [
                "bind 0", "connect 0", "sendmmsg 3", "lengths 3 4 5", "waiting 3", "recvmmsg 3", "one two! three",
                "nothing more -1 Resource temporarily unavailable", "raw -1 Operation not permitted",
                "none -1 Resource temporarily unavailable", "ready 1", "signals 2", "signal 10 own, child 17 1 7", "waitid 0", "state 1 7",
                "no child -1 No child processes", "pwritev 4", "preadv 3", "bcd", "link 0", "links 2, 7 bytes", "again -1 File exists",
                "not one's own -1 Operation not permitted", "elsewhere -1 Invalid cross-device link", "folder -1 Operation not permitted",
                "truncate 0", "times 0", "1000000000, 2 bytes", "attribute -1 Operation not supported", "owner -1 Operation not permitted",
                "mount -1 Operation not permitted", "memory file 3", "close range 0", "closed -1 Bad file descriptor",
                "shared -1 No such device", "getifaddrs 0", "lo loopback -", "lo loopback 127.0.0.1", "index 1", "give back 0", "zero 0",
            ])
        #expect(run.end == .exited(0) && run.events.isEmpty)
    }

    /// 8 MiB are mapped in each; what is touched counts, even with zeros, and is named when it is too much.
    @Test(arguments: [(512, false), (1536, true)]) func memoryCountsWhenItIsTouched(test: (kibibytes: Int, isKilled: Bool)) throws {
        var around = Surroundings()
        around.memoryBytes = 1 << 20
        let run = try Program.own("touch", "\(test.kibibytes)", in: around)
        #expect(run.output == (test.isKilled ? "" : "touched \(test.kibibytes) KiB\n"))
        #expect(run.end == (test.isKilled ? .killed(signal: SignalNumber.kill) : .exited(0)))
        guard test.isKilled else { return }
        guard case .outOfMemory("touch", let used, 1024)? = run.events.first, (1536..<1700).contains(used) else {
            Issue.record("\(run.events)")
            return
        }
    }

    /// The engine can have so many stretches of memory, and no more: what would be more is refused, and nothing is lost.
    @Test func mappingsAreCutOnlySoOften() throws {
        let run = try Program.own("stretches", seconds: 30)
        let refused = "many, Cannot allocate memory"
        #expect(
            run.lines == [
                "permissions: \(refused)", "permissions: \(refused)", "permissions: \(refused)", "holes: \(refused)", "wrong: 0",
                "another: Cannot allocate memory",
            ])
        #expect(run.end == .exited(0))
    }

    /// Calls at random, with arguments right, wrong and absurd: whatever becomes of the program, the process stays up.
    @Test(arguments: 1...4) func callsAtRandomHarmNobodyElse(seed: Int) throws {
        let run = try Program.own("fuzz", "\(seed)", "320", seconds: 100)
        #expect(run.end == .exited(0) || run.end == .asleepForEver, "\(run.end)")
        #expect(run.events.count > 10)
    }

    @Test func socketsInsideTheDevice() throws {
        let run = try Program.own("client", "--serve", "8080")
        #expect(
            run.lines == [
                "connect 0", "from 7f000001, 16 bytes", "read 9 to myself", "end 0", "timeout -1 Resource temporarily unavailable", "pair",
            ])
        #expect(run.seconds >= 2)
        #expect(try Program.own("client", "10.0.0.1", "80").output == "connect: Network is unreachable\n")
    }

    static let board = [
        "led@gpio8", "button@gpio12:1s/200ms", "thermistor@adc0:30", "imu@i2c2", "imu@spi1", "echo@isu0", "led@pwm1.1",
    ]

    @Test func peripheralsWorkWithinTheManifest() throws {
        let run = try Program(app: "peripherals", attach: Self.board)
        #expect(
            run.lines == [
                "arguments 3 one two", "led open, not in the manifest: Permission denied", "twice: Device or resource busy",
                "adc 12 bits, 1.114 V", "pwm 0", "i2c 2 bytes, WHO_AM_I 69", "i2c nobody: -1 No such device or address",
                "spi 2 bytes, WHO_AM_I 69", "package file: hello from the package", "mutable file: counter 1, wrote 4",
                "beyond its size: 2 ",
                "delete 0 -1", "uart empty: 0", "uart received 4: ping", "button pressed", "button released", "exit",
            ])
        #expect(run.end == .exited(3))
        #expect(run.pins.filter { $0.place == "gpio8" }.map(\.text) == ["on", "off", "on", "off", "on"])
        for (pin, second) in zip(run.pins.filter { $0.place == "gpio8" }, [0, 0.5, 1, 1.5, 2]) { #expect(abs(pin.at - second) < 1e-3) }
    }

    /// Without a capability the same app goes on, and is told why.
    @Test(arguments: [
        ("\"$SAMPLE_LED\", ", "", "led closed, not in the manifest: Permission denied"),
        ("\"MutableStorage\": { \"SizeKB\": 8 }", "\"CertStore\": true", "mutable file: counter 1, wrote -1"),
        ("\"SizeKB\": 8", "\"SizeKB\": 16", "beyond its size: 8 "), ("\"$SAMPLE_LSM6DS3_I2C\"", "", "i2c -1 bytes, WHO_AM_I 00"),
    ]) func theManifestDecides(_ test: (from: String, to: String, line: String)) throws {
        let run = try Program(app: "peripherals", attach: Self.board, change: (test.from, test.to))
        #expect(run.lines.contains(test.line), "\(run.lines)")
    }

    @Test func servicesAnswerWithinTheManifest() throws {
        let run = try Program(app: "services")
        #expect(
            run.lines == [
                "install 0", "no certificate -1 Invalid argument", "no name -1 Invalid argument", "empty -1 Numerical result out of range",
                "wrong password -1 Permission denied", "client 0", "count 2", "at 0", "subject 0", "not after 0",
                "own: CN=Test root,O=Orrery until 2126", "move 0", "gone -1 No such file or directory", "count 1", "space 1",
                "interfaces 1",
                "status 0", "wlan0 1", "no interface -1 No such file or directory", "change network -1 Permission denied", "networks 1",
                "reload 0", "add 1", "identity -1 Permission denied", "profile 0",
                "bad profile -1 Invalid argument",
                "reboot -1 Permission denied", "clock -1 Permission denied", "os 26.11, memory 1",
            ])
        // It then takes more memory than an app may have.
        #expect(run.end == .killed(signal: 9))
    }

    @Test func theMutableFileSurvives() throws {
        let run = try Program(app: "peripherals", attach: Self.board, mutable: [41, 0, 0, 0])
        #expect(run.lines.contains("mutable file: counter 42, wrote 4"))
        #expect(run.mutableFile == nil)
    }
}
