import Emulator
import Formats
import Kernel
import Testing

/// Unmodified programs of Debian's, with what they print on any ARM Linux.
@Suite struct DebianTests {
    /// A line for the shell, what it prints, and its exit code.
    @Test(arguments: [
        ("echo hello; exit 3", "hello\n", 3), ("echo $((6*7)) $((1 << 40)) $((7 % 4))", "42 1099511627776 3\n", 0),
        ("uname -s; uname -m", "Linux\narmv7l\n", 0), ("seq 1 10000 | md5sum", "72d4ff27a28afbc066d5804999d5a504  -\n", 0),
        ("for i in 1 2 3; do echo $i; done | while read x; do echo \"<$x>\"; done; false; echo $?", "<1>\n<2>\n<3>\n1\n", 0),
        ("printf 'b 2\\na 1\\n' | sort | awk '{s += $2; print $1} END {printf \"%d %.3f\\n\", s, 1/3}'", "a\nb\n3 0.333\n", 0),
        (
            "mkdir -p /tmp/a/b; echo hi > /tmp/a/b/c; cat /tmp/a/b/c; find /tmp -type f; rm -r /tmp/a; ls /tmp | wc -l",
            "hi\n/tmp/a/b/c\n0\n", 0
        ),
        ("yes | head -2; echo abc | tr a-c A-C | sed s/B/-/ | rev", "y\ny\nC-A\n", 0),
        ("x=$(echo sub); echo $x; (exit 7); echo $?", "sub\n7\n", 0),
        ("sleep 2; date", "Thu Jan  1 00:00:02 UTC 2026\n", 0), ("kill -9 $$", "", 137), ("timeout 1 sleep 5; echo $?", "143\n", 0),
        ("cat /proc/self/comm", "busybox\n", 0), ("nosuch", "", 127),
        ("trap 'echo bye' EXIT; sleep 1 & wait; echo done", "done\nbye\n", 0),
        ("echo 123 | gzip | gunzip; echo x > /etc/passwd", "123\n", 1),
    ]) func shellsRun(_ test: (line: String, output: String, code: Int32)) throws {
        let run = try Program.debian("busybox", "sh", "-c", test.line)
        #expect(run.output == test.output)
        #expect(run.end == (test.code == 137 ? .killed(signal: 9) : .exited(test.code)))
        #expect(run.events.isEmpty)
    }

    @Test func standardInputIsRead() throws {
        let run = try Program.debian("busybox", "sha256sum", input: "abc")
        #expect(run.output == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n")
    }

    @Test func timeIsVirtual() throws {
        let run = try Program.debian("busybox", "sleep", "3000", seconds: 4000)
        #expect(run.end == .exited(0) && (3000..<3001).contains(run.seconds))
        #expect(try Program.debian("busybox", "sleep", "60").end == .outOfTime)
    }

    @Test func bashRuns() throws {
        let run = try Program.debian(
            "bash-static", "-c",
            """
            for ((i = 0; i < 3; i++)); do echo -n $i; done; echo; a=(x y z); echo ${a[1]} ${#a[@]}; printf '%05.2f\\n' 3.14159
            trap 'echo term' TERM; kill -TERM $$; coproc { read l; echo "co $l"; }; echo hi >&${COPROC[1]}; read r <&${COPROC[0]}; echo $r
            declare -A m=([k]=v); echo ${m[k]} ${BASH_VERSINFO[0]}; exit 9
            """)
        #expect(run.output == "012\ny 3\n03.14\nterm\nco hi\nv 5\n")
        #expect(run.end == .exited(9))
    }

    /// An app whose package brings the loader and the libraries, within the memory that an app has.
    @Test func dynamicProgramsArePackedWithTheirLibraries() throws {
        let root = ".build/armhf/root"
        func bytes(_ path: String) throws -> [UInt8] { try Program.bytes("\(root)/\(path)", madeBy: "scripts/install --tests") }
        let libraries = "lib/arm-linux-gnueabihf"
        var files = ["bin/app": try bytes("usr/bin/lua5.4"), "data/start.lua": Array("print('packed', #arg, 6 * 7)\n".utf8)]
        for (name, path) in [
            ("lib/ld-linux-armhf.so.3", "\(libraries)/ld-linux-armhf.so.3"), ("lib/libc.so.6", "\(libraries)/libc.so.6"),
            ("lib/libm.so.6", "\(libraries)/libm.so.6"), ("usr/lib/libreadline.so.8", "\(libraries)/libreadline.so.8"),
            ("usr/lib/libtinfo.so.6", "\(libraries)/libtinfo.so.6"),
        ] { files[name] = try bytes(path) }
        let manifest = try AppManifest(
            json: Array(
                """
                {"SchemaVersion":1,"Name":"lua","ComponentId":"25025d2c-66da-4448-bae1-ac26fcdd3630","EntryPoint":"/bin/app",
                "CmdArgs":["/mnt/app/data/start.lua"],"Capabilities":{}}
                """.utf8))
        let run = try Program(AppImage(files: files, manifest: manifest), weaknesses: [])
        #expect(run.output == "packed\t0\t42\n" && run.end == .exited(0), "\(run.errors) \(run.events)")
        files["lib/ld-linux-armhf.so.3"] = nil
        let refused = #expect(throws: Kernel.StartFailure.self) {
            try Program(AppImage(files: files, manifest: manifest), weaknesses: [])
        }
        #expect(refused?.obstacle == .noLoader("/lib/ld-linux-armhf.so.3", of: "/mnt/app/bin/app"))
    }

    /// The same run twice, to the nanosecond.
    @Test func runsAreReproducible() throws {
        func run() throws -> Program {
            try Program.debian("busybox", "sh", "-c", "head -c 20 /dev/urandom | md5sum; ls -l /proc; seq 1 50 | sort -R | head -3")
        }
        let (one, other) = (try run(), try run())
        #expect(one.output == other.output && one.seconds == other.seconds && one.lines.count > 5)
    }
}
