import Foundation
import Runtime
import Testing

/// `orrery tuf` as a primary of Uptane's, driven as a suite would drive it, against repositories in the shapes of the public test
/// vectors: keys, signature encodings, canonical forms and white space. (Each kind of fault is a test of `TUFTests`.)
@Suite(.serialized) struct UptaneInteropTestsSerial {
    @Test func aDirectorAndAnImageRepositoryAreFollowed() async throws {
        let testbed = try Testbed()
        let script = try testbed.write(Self.script, "uptane.py")
        let output = try await testbed.tool(
            Testbed.root + "/.build/python/bin/python", [script, Machine.executableFolder + "/orrery", testbed.folder])
        #expect(output.split(separator: "\n").last == "all 44 as expected", "\(output)")
    }

    private static let script = #"""
        import base64, copy, hashlib, http.server, itertools, json, os, shutil, socket, subprocess, sys, threading
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

        client, folder = sys.argv[1:]
        CONTENT = b"wat wat wat"
        made = {}

        class Shape:
            """How a repository writes keys, signatures and JSON."""
            def __init__(self, scheme="ed25519", encoding="hex", canonical="olpc", compact=False):
                self.scheme, self.encoding, self.canonical, self.compact = scheme, encoding, canonical, compact

            def key(self, index):
                kind = "ed25519" if self.scheme == "ed25519" else "rsa"
                if (kind, index) not in made:
                    private = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)
                    public = private.public_key()
                    if kind == "ed25519":
                        text = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
                    else:
                        text = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
                    made[kind, index] = private, {"keytype": kind, "keyval": {"public": text}}
                return made[kind, index]

            def cjson(self, value):
                if self.canonical == "json-subset": return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
                if isinstance(value, dict): return b"{" + b",".join(self.cjson(k) + b":" + self.cjson(v) for k, v in sorted(value.items())) + b"}"
                if isinstance(value, list): return b"[" + b",".join(map(self.cjson, value)) + b"]"
                if isinstance(value, str): return b'"' + value.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'
                return json.dumps(value).encode()

            def id(self, index): return hashlib.sha256(self.cjson(self.key(index)[1]["keyval"]["public"])).hexdigest()

            def text(self, value):
                if self.compact: return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
                return json.dumps(value, sort_keys=True, indent=2).encode() + b"\n"

            def sign(self, signed, indices):
                signatures = []
                for index in indices:
                    private, data = self.key(index)[0], self.cjson(signed)
                    if self.scheme == "ed25519": signature = private.sign(data)
                    else:
                        hash = hashes.SHA512() if self.scheme.endswith("512") else hashes.SHA256()
                        signature = private.sign(data, padding.PSS(padding.MGF1(hash), hash.digest_size), hash)
                    coded = signature.hex() if self.encoding == "hex" else base64.b64encode(signature).decode()
                    signatures.append({"keyid": self.id(index), "method": self.scheme, "sig": coded})
                return {"signed": signed, "signatures": signatures}

        def digests(data): return {name: hashlib.new(name, data).hexdigest() for name in ("sha256", "sha512")}
        def target(custom, data=CONTENT): return {"length": len(data), "hashes": digests(data), "custom": custom}

        class Repository:
            def __init__(self, shape, base, director):
                self.shape, self.base, self.director = shape, base, director
                self.root_key, self.root_signers, self.root_version = base, [base], 1
                custom = {"ecuIdentifiers": {"serial-1": {"hardwareId": "model-1"}}} if director else {"hardwareIds": ["model-1"]}
                self.targets, self.version, self.signers, self.unmet = {"file.txt": target(custom)}, 1, {}, {}

            def made(self):
                shape, files = self.shape, {}
                def head(kind, version, **more): return {"_type": kind, "version": version, "expires": "2038-01-19T03:14:06Z", **more}
                def sign(role, index, signed): return shape.sign(signed, self.signers.get(role, [index]))
                keys = {"root": self.root_key, "targets": self.base + 1}
                if not self.director: keys.update(snapshot=self.base + 2, timestamp=self.base + 3)
                root = head("Root", self.root_version, consistent_snapshot=False, keys={shape.id(i): shape.key(i)[1] for i in keys.values()},
                            roles={role: {"keyids": [shape.id(i)], "threshold": self.unmet.get(role, 1)} for role, i in keys.items()})
                files[f"{self.root_version}.root.json"] = shape.sign(root, self.root_signers)
                files["targets.json"] = sign("targets", self.base + 1, head("Targets", self.version, targets=self.targets))
                if not self.director:
                    form = shape.cjson(files["targets.json"])
                    meta = {"targets.json": {"version": self.version, "length": len(form), "hashes": {"sha256": hashlib.sha256(form).hexdigest()}}}
                    files["snapshot.json"] = sign("snapshot", self.base + 2, head("Snapshot", self.version, meta=meta))
                    meta = {"version": self.version, "length": len(shape.text(files["snapshot.json"])), "hashes": digests(shape.cjson(files["snapshot.json"]))}
                    files["timestamp.json"] = sign("timestamp", self.base + 3, head("Timestamp", self.version, meta={"snapshot.json": meta}))
                return {name: shape.text(value) for name, value in files.items()}

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_): pass
            def do_GET(self):
                body = served.get(self.path[1:])
                self.send_response(200 if body is not None else broken); self.end_headers()
                if body: self.wfile.write(body)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        store, downloads = f"{folder}/trusted", f"{folder}/downloads"
        served, broken, count, number = {}, 404, 0, 0

        def tuf(*words): return subprocess.run([client, "tuf", "--metadata-dir", store, *words], capture_output=True, text=True, timeout=60)
        def update(*more, verb="download", ecu="serial-1", model="model-1", images=base + "/image_repo", slash=""):
            return tuf("--director-url", f"{base}/director{slash}", "--image-repo-url", images + slash, "--ecu-identifier", ecu,
                       "--hardware-id", model, "--target-dir", downloads, "--json", *more, verb)
        def publish():
            served.clear()
            for name, repository in (("director", director), ("image_repo", images)):
                served.update({f"{name}/{path}": body for path, body in repository.made().items()})
            served["image_repo/targets/file.txt"] = CONTENT
        def fresh(shape=Shape(), publishes=True):
            global director, images, broken
            director, images, broken = Repository(shape, 10, True), Repository(shape, 0, False), 404
            for path in (store, downloads): shutil.rmtree(path, ignore_errors=True)
            if publishes: publish(); trust()
        def trust():
            for name in ("director", "image_repo"):
                with open(f"{folder}/{name}.json", "wb") as file: file.write(served[f"{name}/1.root.json"])
            assert tuf("init", f"{folder}/director.json", f"{folder}/image_repo.json").returncode == 0
        def expect(what, result, code=None, repository=None):
            global count
            count += 1
            verdict = json.loads(result.stdout or "{}")
            right = result.returncode == (1 if code else 0) and verdict.get("code") == code and verdict.get("repository") == repository
            if code: right = right and verdict["clause"].startswith("Uptane 2.1.0, 5.") and f"({code};" in result.stderr
            if not right: print(f"WRONG {what}: {result.returncode} {result.stdout} {result.stderr}"); sys.exit(1)
            return verdict

        # Every shape: taken; and a signature that is missing is found to be.
        for scheme, encoding, canonical, compact in itertools.product(
                ("ed25519", "rsassa-pss-sha256", "rsassa-pss-sha512"), ("hex", "base64"), ("olpc", "json-subset"), (False, True)):
            fresh(Shape(scheme, encoding, canonical, compact))
            verdict = expect(f"{scheme} {encoding} {canonical} {compact}", update())
            assert verdict["images"] == [{"ecuIdentifiers": ["serial-1"], "length": 11, "path": f"{downloads}/file.txt", "target": "file.txt"}], verdict
            assert open(f"{downloads}/file.txt", "rb").read() == CONTENT

        fresh(); expect("slashes", update(slash="/")); expect("again", update())
        served["image_repo/targets/file.txt"] = b"wat wat wut"; os.remove(f"{downloads}/file.txt")
        expect("another image", update(), "image-hash", "image_repo"); assert not os.path.exists(f"{downloads}/file.txt")
        served["image_repo/targets/file.txt"] = CONTENT * 9; expect("a long image", update(), "image-length", "image_repo")
        del served["image_repo/targets/file.txt"]; expect("no image", update(), "image-missing", "image_repo")
        served["elsewhere/file.txt"] = CONTENT; expect("another place", update("--target-base-url", base + "/elsewhere"))
        fresh(); expect("only metadata", update(verb="refresh")); assert not os.path.exists(downloads)
        expect("other hardware", update(model="model-2"), "hardware", "director"); expect("another ECU", update(ecu="serial-2"), "unknown-ecu", "director")
        fresh(); director.targets = {}; publish(); assert expect("nothing to do", update())["images"] == []
        fresh(); images.signers = {"timestamp": []}; publish(); broken = 400; expect("unsigned", update(), "unmet-threshold", "image_repo")

        # Whether nobody answers or a server is broken: nothing is refused, nothing is trusted.
        fresh(); closed = socket.socket(); closed.bind(("127.0.0.1", 0))
        expect("nobody", update(images=f"http://127.0.0.1:{closed.getsockname()[1]}"), "unreachable", "image_repo")
        fresh(); broken = 503; expect("broken", update(), "unreachable", "director")

        # Step by step, as the vectors do it.
        fresh(); expect("first step", update()); director.root_key, director.root_signers, director.root_version = 20, [10, 20], 2
        images.root_key, images.root_signers, images.root_version = 21, [0, 21], 2; publish(); expect("rotated roots", update())
        director.root_key, director.root_signers, director.root_version = 22, [22], 3; publish()
        expect("a root of nobody's", update(), "unmet-threshold", "director")
        fresh(publishes=False); images.unmet = {"targets": 0}; publish(); trust(); expect("no threshold", update(), "illegal-threshold", "image_repo")

        # A release counter that an image had is remembered.
        fresh(); director.version = images.version = 2
        for counter, code in ((7, None), (6, "release-counter"), (7, None)):
            director.version += 1; images.version += 1
            director.targets["file.txt"]["custom"]["releaseCounter"] = images.targets["file.txt"]["custom"]["releaseCounter"] = counter
            publish(); expect(f"counter {counter}", update(), code, "image_repo" if code else None)
        print(f"all {count} as expected")
        """#
}
