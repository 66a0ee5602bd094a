import Foundation
import Glibc
import Runtime
import Testing

/// Our TUF client against a repository that python-tuf makes and signs: each thing that must be taken, and each
/// that must not.
@Suite(.serialized) struct TUFInteropTestsSerial {
    @Test func theClientAgreesWithPythonTUF() async throws {
        let testbed = try Testbed()
        let script = try testbed.write(Self.script, "repository.py")
        let output = try await testbed.tool(
            Testbed.root + "/.build/python/bin/python", [script, Machine.executableFolder + "/orrery", testbed.folder])
        #expect(output.split(separator: "\n").last == "all 30 as expected", "\(output)")
    }

    /// python-tuf reads the repository that the service serves, through a gateway port, and refuses an older snapshot.
    @Test func pythonTUFReadsTheServicesRepository() async throws {
        let testbed = try Testbed()
        let topology = """
            name: gateway
            stop: 12h
            networks:
              home:  { latency: 8ms }
              cloud: { latency: 30ms }
            links: [[home, cloud]]
            service: { network: cloud, catalog: acme }
            gateways:
              door: { network: home, ports: [{ port: 0, to: "service:80" }] }
            devices:
              fridge: { network: home, apps: [compressor] }
            method:
              - { at: 1s, update: { image: compressor@2 } }
              - { at: 15s, update: { image: compressor@3 } }
            """
        let file = try testbed.write(topology, "gateway.yaml")
        let script = try testbed.write(Self.reader, "reader.py")
        let ended = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            defer { kill(process, SIGINT) }
            try await testbed.wait("the gateway") { testbed.journal.contains("\"gateway-open\"") }
            let port = try #require(testbed.journal.firstMatch(of: /"gateway-open","port":(\d+)/)).1
            let run = testbed.folder + "/runs/gateway/latest"
            let output = try await testbed.tool(
                Testbed.root + "/.build/python/bin/python",
                [script, "http://127.0.0.1:\(port)", run + "/state/authority/images-1-root-0.json", testbed.folder])
            #expect(output == "2 3 refused\n")
        }
        #expect(ended.output.contains("The run ended before its time"), "\(ended.output) \(ended.errors)")
    }

    private static let reader = #"""
        import http.server, os, sys, threading, time, urllib.request
        from tuf.api.exceptions import RepositoryError
        from tuf.ngclient import Updater

        base, root, folder = sys.argv[1:]
        trusted = open(root, "rb").read()
        store, downloads = f"{folder}/store", f"{folder}/targets"
        os.makedirs(store); os.makedirs(downloads)

        def updater(address):
            return Updater(
                metadata_dir=store, metadata_base_url=f"{address}/image/metadata/", target_dir=downloads,
                target_base_url=f"{address}/image/targets/", bootstrap=trusted)

        def wait_for(target):
            for _ in range(300):
                client = updater(base)
                client.refresh()
                found = client.get_targetinfo(target)
                if found: return client, found
                time.sleep(0.1)
            sys.exit(f"no {target}")

        client, found = wait_for("compressor@2")
        path = client.download_target(found)
        assert len(open(path, "rb").read()) == found.length
        old = urllib.request.urlopen(f"{base}/image/metadata/timestamp.json").read()
        client, found = wait_for("compressor@3")
        client.download_target(found)

        class Old(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_): pass
            def do_GET(self):
                body = old if self.path.endswith("timestamp.json") else None
                self.send_response(200 if body else 404); self.end_headers()
                if body: self.wfile.write(body)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Old)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            updater(f"http://127.0.0.1:{server.server_port}").refresh()
            print("2 3 taken")
        except RepositoryError:
            print("2 3 refused")
        """#

    private static let script = #"""
        import http.server, os, shutil, subprocess, sys, threading
        from datetime import datetime, timedelta, timezone
        from securesystemslib.signer import CryptoSigner
        from tuf.api.metadata import (DelegatedRole, Delegations, Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp)

        client, folder = sys.argv[1:]
        day = timedelta(days=1)
        now = datetime.now(timezone.utc).replace(microsecond=0)
        log = []

        class Repository:
            def __init__(self, make=CryptoSigner.generate_ecdsa):
                self.make, self.files, self.data = make, {}, {}
                self.signers = {role: [make()] for role in ("root", "timestamp", "snapshot", "targets")}
                expires = now + day * 30
                self.root = Root(expires=expires, consistent_snapshot=True)
                for role, signers in self.signers.items():
                    for signer in signers: self.root.add_key(signer.public_key, role)
                self.targets, self.snapshot, self.timestamp = Targets(expires=expires), Snapshot(expires=expires), Timestamp(expires=expires)
                self.delegated = {}
                self.publish_root()
                self.trusted = self.files["1.root.json"]
                self.publish()

            def sign(self, signed, signers):
                metadata = Metadata(signed)
                for signer in signers: metadata.sign(signer, append=True)
                return metadata.to_bytes()

            def publish_root(self, also=()):
                self.files[f"{self.root.version}.root.json"] = self.sign(self.root, self.signers["root"] + list(also))

            def publish(self):
                for name, (signed, signer) in self.delegated.items():
                    self.files[f"{signed.version}.{name}.json"] = self.sign(signed, [signer])
                    self.snapshot.meta[f"{name}.json"] = MetaFile(signed.version)
                targets = self.sign(self.targets, self.signers["targets"])
                self.files[f"{self.targets.version}.targets.json"] = targets
                self.snapshot.meta["targets.json"] = MetaFile.from_data(self.targets.version, targets, ["sha256", "sha512"])
                snapshot = self.sign(self.snapshot, self.signers["snapshot"])
                self.files[f"{self.snapshot.version}.snapshot.json"] = snapshot
                self.timestamp.snapshot_meta = MetaFile.from_data(self.snapshot.version, snapshot, ["sha256"])
                self.files["timestamp.json"] = self.sign(self.timestamp, self.signers["timestamp"])

            def bump(self):
                self.targets.version += 1; self.snapshot.version += 1; self.timestamp.version += 1
                self.publish()

            def add(self, path, data, role=None):
                (role or self.targets).targets[path] = TargetFile.from_data(path, data, ["sha256"])
                head, _, tail = path.rpartition("/")
                name = f"{TargetFile.from_data(path, data, ['sha256']).hashes['sha256']}.{tail}"
                self.data[f"{head}/{name}" if head else name] = data
                return f"{head}/{name}" if head else name

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *_): pass
            def do_GET(self):
                kind, _, name = self.path[1:].partition("/")
                log.append(self.path)
                body = (repo.files if kind == "metadata" else repo.data).get(name)
                self.send_response(200 if body is not None else 404)
                self.send_header("content-length", str(len(body or b"")))
                self.end_headers()
                if body: self.wfile.write(body)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        store, downloads = f"{folder}/trusted", f"{folder}/downloads"
        count = 0

        def run(*words):
            return subprocess.run([client, "tuf", "--metadata-dir", store, *words], capture_output=True, text=True, timeout=60)
        def refresh(): return run("--metadata-url", base + "/metadata", "refresh")
        def download(*paths, slash=""):
            names = [word for path in paths for word in ("--target-name", path)]
            return run("--metadata-url", base + "/metadata" + slash, *names, "--target-base-url", base + "/targets" + slash, "--target-dir", downloads, "download")
        def version(role):
            path = f"{store}/{role}.json"
            return Metadata.from_file(path).signed.version if os.path.exists(path) else None
        def fresh(repository=None):
            global repo
            repo = repository or Repository()
            for path in (store, downloads): shutil.rmtree(path, ignore_errors=True)
            with open(f"{folder}/root.json", "wb") as file: file.write(repo.trusted)
            assert run("init", f"{folder}/root.json").returncode == 0
        def expect(what, result, code, words=""):
            global count
            count += 1
            if result.returncode != code or words not in result.stderr:
                print(f"WRONG {what}: {result.returncode} {result.stderr}"); sys.exit(1)

        def older_rsa(): return CryptoSigner.generate_rsa(scheme="rsa-pkcs1v15-sha256")
        for make in (CryptoSigner.generate_ecdsa, CryptoSigner.generate_ed25519, CryptoSigner.generate_rsa, older_rsa):
            fresh(Repository(make)); expect("refresh", refresh(), 0)
        assert [version(role) for role in ("root", "timestamp", "snapshot", "targets")] == [1, 1, 1, 1]
        log.clear(); expect("nothing new", refresh(), 0); assert log == ["/metadata/2.root.json", "/metadata/timestamp.json"], log

        fresh(); repo.add("a/file.bin", b"content"); repo.bump(); expect("download", download("a/file.bin"), 0)
        assert open(f"{downloads}/a%2Ffile.bin", "rb").read() == b"content"
        # What is refused is not asked for again: neither the role nor, after it, the other targets.
        log.clear(); expect("unknown target", download("b"), 1, "no role names")
        assert log == ["/metadata/2.root.json", "/metadata/timestamp.json"], log
        repo.add("one", b"1"); repo.add("two", b"2"); repo.bump(); log.clear(); expect("in order", download("two", "one", slash="/"), 0)
        assert [path[-3:] for path in log if "/targets/" in path] == ["two", "one"] and not any("//" in path for path in log), log
        repo.add("three", b"3"); repo.bump(); expect("up to the first", download("three", "none", "one"), 1, "names the target none")
        assert open(f"{downloads}/three", "rb").read() == b"3"
        place = repo.add("other", b"right"); repo.bump(); repo.data[place] = b"wrong"; expect("hash", download("other"), 1, "hash")
        repo.data[place] = b"right" * 100000; expect("endless", download("other"), 1, "length")

        fresh(); refresh(); old = dict(repo.files); repo.bump(); expect("newer", refresh(), 0)
        repo.files["timestamp.json"] = old["timestamp.json"]; expect("rollback", refresh(), 1, "older")
        fresh(); refresh(); repo.targets.version += 1; repo.bump(); refresh()
        repo.targets.version = 1; repo.snapshot.version += 1; repo.timestamp.version += 1; repo.publish(); expect("targets back", refresh(), 1, "older")
        fresh(); repo.timestamp.expires = now - day; repo.publish(); expect("freeze", refresh(), 1, "timestamp has expired")
        fresh(); repo.root.expires = now - day; repo.root.version = 2; repo.publish_root(); expect("old root", refresh(), 1, "root has expired")
        fresh(); refresh(); first = repo.files["1.snapshot.json"]; repo.bump(); repo.files["2.snapshot.json"] = first; expect("mix", refresh(), 1)
        fresh(); repo.targets.version = 5; repo.files["1.targets.json"] = repo.sign(repo.targets, repo.signers["targets"]); expect("foreign targets", refresh(), 1)
        fresh(); repo.files["timestamp.json"] = repo.sign(repo.timestamp, [CryptoSigner.generate_ecdsa()]); expect("stranger", refresh(), 1, "0 of 1")

        # Root rotation: the old keys and the new ones sign; a root that skips one, or lacks the old keys, is refused.
        fresh(); refresh(); before = repo.signers["root"]; after = [CryptoSigner.generate_ecdsa()]
        repo.root.revoke_key(before[0].public_key.keyid, "root"); repo.root.add_key(after[0].public_key, "root"); repo.root.version = 2
        repo.signers["root"] = after; repo.publish_root(); expect("root without the old keys", refresh(), 1, "0 of 1"); assert version("root") == 1
        repo.publish_root(also=before); expect("rotation", refresh(), 0); assert version("root") == 2

        # Fast-forward: with a stolen key the version is driven up; new keys bring it back.
        fresh(); refresh(); repo.timestamp.version = 99999; repo.publish(); refresh(); assert version("timestamp") == 99999
        key = CryptoSigner.generate_ecdsa(); repo.root.revoke_key(repo.signers["timestamp"][0].public_key.keyid, "timestamp")
        repo.root.add_key(key.public_key, "timestamp"); repo.signers["timestamp"] = [key]; repo.root.version = 2; repo.publish_root()
        repo.timestamp.version = 2; repo.publish(); expect("recovery", refresh(), 0); assert version("timestamp") == 2

        # 5.3.11: a key that is added and a threshold that rises undo nothing; a snapshot key that is taken away does.
        fresh(); repo.timestamp.version = 5; repo.publish(); refresh(); key = CryptoSigner.generate_ecdsa()
        repo.root.add_key(key.public_key, "timestamp"); repo.root.add_key(key.public_key, "snapshot")
        for role in ("timestamp", "snapshot"): repo.root.roles[role].threshold = 2; repo.signers[role].append(key)
        repo.root.version = 2; repo.publish_root(); repo.timestamp.version = 4; repo.publish()
        expect("rollback beside a new key", refresh(), 1, "older"); assert version("timestamp") == 5 and version("snapshot") == 1
        repo.timestamp.version = 5; repo.publish(); expect("the same, signed by both", refresh(), 0)
        assert len(Metadata.from_file(f"{store}/timestamp.json").signatures) == 2
        repo.timestamp.version = 4; repo.publish(); expect("rollback later", refresh(), 1, "older")
        repo.root.revoke_key(key.public_key.keyid, "snapshot"); repo.root.roles["snapshot"].threshold = 1; repo.root.version = 3; repo.publish_root()
        expect("a snapshot key taken away", refresh(), 0); assert version("timestamp") == 4

        # What has rotted at hand is fetched.
        fresh(); refresh()
        for role in ("timestamp", "snapshot", "targets"): open(f"{store}/{role}.json", "r+b").write(b"rot")
        expect("rot", refresh(), 0); assert version("targets") == 1

        # One level of delegation, and a threshold that one key under two names does not reach.
        fresh(); signer = CryptoSigner.generate_ed25519(); role = Targets(expires=now + day); repo.add("img/app", b"app", role)
        repo.delegated["vendor"] = (role, signer)
        delegations = Delegations({signer.public_key.keyid: signer.public_key}, roles={"vendor": DelegatedRole("vendor", [signer.public_key.keyid], 1, False, paths=["img/*"])})
        repo.targets.delegations = delegations; repo.bump(); expect("delegation", download("img/app"), 0)
        repo.add("app", b"app", role); role.version += 1; repo.bump(); expect("outside its paths", download("app"), 1, "no role names")
        fresh(); repo.root.roles["snapshot"].threshold = 2; repo.root.version = 2; repo.publish_root(); expect("threshold", refresh(), 1, "1 of 2")
        for broken in (b"", b"{", b"[" * 100000, b'{"signed":{"_type":"timestamp"},"signatures":[]}', b"\xff" * 100):
            fresh(); repo.files["timestamp.json"] = broken
            if refresh().returncode != 1: print("WRONG broken", broken[:20]); sys.exit(1)
        print(f"all {count} as expected")
        """#
}
