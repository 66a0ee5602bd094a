import Foundation
import Runtime
import Testing

/// `orrery evidence verify` on tokens that other people's libraries made, right and wrong by one thing each.
@Suite struct EvidenceInteropTests {
    @Test func eachTokenIsAppraisedByItsClause() async throws {
        let testbed = try Testbed()
        let script = try testbed.write(Self.script, "tokens.py")
        let output = try await testbed.tool(
            Testbed.root + "/.build/python/bin/python", [script, Machine.executableFolder + "/orrery", testbed.folder])
        #expect(output.split(separator: "\n").last == "all as expected", "\(output)")
    }

    private static let script = #"""
        import concurrent.futures, json, subprocess, sys
        import cbor2
        from cbor2 import CBORTag
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, utils
        from cwt import COSE, COSEAlgs, COSEHeaders, COSEKey

        orrery, folder = sys.argv[1:]
        curves = {-7: (ec.SECP256R1(), hashes.SHA256(), 32, 1), -35: (ec.SECP384R1(), hashes.SHA384(), 48, 2), -36: (ec.SECP521R1(), hashes.SHA512(), 66, 3)}
        keys = {alg: ec.derive_private_key(1000 - alg, curve[0]) for alg, curve in curves.items()}

        def path(name, data):
            with open(f"{folder}/{name}", "wb") as file: file.write(data)
            return f"{folder}/{name}"
        def pem(key): return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        def point(alg):
            numbers, size = keys[alg].public_key().public_numbers(), curves[alg][2]
            return numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big")
        pems = {alg: path(f"key{alg}.pem", pem(key)) for alg, key in keys.items()}
        coses = {alg: path(f"key{alg}.cose", cbor2.dumps({1: 2, -1: curves[alg][3], -2: point(alg)[0], -3: point(alg)[1]})) for alg in keys}

        NONCE = b"\1" * 32
        def claims(**changes):
            """A good token's; `c2394=None` takes a claim away."""
            token = {10: NONCE, 256: b"\1" + b"\2" * 32, 265: "tag:psacertified.org,2023:psa#tfm", 2394: 1, 2395: 0x3000, 2396: b"\3" * 32,
                2399: [{1: "BL", 2: b"\4" * 32, 4: "3.1.4", 5: b"\5" * 32, 6: "sha-256"}]}
            for name, value in changes.items():
                if value is None: token.pop(int(name[1:]), None)
                else: token[int(name[1:])] = value
            return token
        def sign(payload, protected=b"\xa1\x01\x26", unprotected={}, alg=-7, tag=18, outer=lambda m: m):
            if not isinstance(payload, bytes): payload = cbor2.dumps(payload)
            _, digest, size, _ = curves[alg]
            r, s = utils.decode_dss_signature(keys[alg].sign(cbor2.dumps(["Signature1", protected, b"", payload]), ec.ECDSA(digest)))
            message = outer([protected, unprotected, payload, r.to_bytes(size, "big") + s.to_bytes(size, "big")])
            return cbor2.dumps(CBORTag(tag, message) if tag else message)
        def header(labels): return cbor2.dumps(labels)

        cases = []
        def case(name, token, expected=None, key=None, nonce=NONCE.hex(), code=None):
            """`expected`: part of what is printed; refused if `code` is 1, the default if there is one."""
            cases.append((name, token, expected, key or pems[-7], nonce, (0 if expected is None else 1) if code is None else code))

        case("good", sign(claims()))
        case("hexadecimal", sign(claims()).hex().encode() + b"\n")
        case("by the library cwt", COSE.new().encode_and_sign(cbor2.dumps(claims()), COSEKey.from_pem(pem(keys[-7]) and keys[-7].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()), alg="ES256"), protected={1: -7}))
        for alg in keys:
            token = sign(claims(), header({1: alg}), alg=alg)
            case(f"algorithm {alg}", token, key=pems[alg])
            case(f"COSE key {alg}", token, key=coses[alg])
        def limited(**more): return path(f"limited{len(cases)}", cbor2.dumps({1: 2, -1: 1, -2: point(-7)[0], -3: point(-7)[1], **{int(k[1:]): v for k, v in more.items()}}))
        case("a key of this algorithm, for verifying", sign(claims()), key=limited(l3=-7, l4=[2]))
        case("a key of another algorithm", sign(claims()), "RFC 9053 2.1", key=limited(l3=-35))
        case("a key for signing", sign(claims()), "RFC 9052 7.1", key=limited(l4=[1]))
        case("another curve's key", sign(claims()), "RFC 9783 5.2", key=pems[-35])
        case("another key", sign(claims()), "RFC 9052 4.4", key=path("other.pem", pem(ec.derive_private_key(9, ec.SECP256R1()))))
        device = b"".join(point(-7)).hex()
        import hashlib
        case("device ID", sign(claims(c256=b"\1" + hashlib.sha256(bytes.fromhex(device)).digest())), key=device)
        case("device ID, another's instance", sign(claims()), "another device's (RFC 9783 4.2.1)", key=device)
        case("no nonce given", sign(claims()), "freshness was not checked", nonce=None, code=0)
        case("another nonce", sign(claims()), "RFC 9783 4.1.1", nonce="02" * 32)
        case("a nonce that is none", sign(claims()), None, nonce="zz", code=64)
        case("a key that is none", sign(claims()), None, key=path("no.pem", b"no key"), code=64)
        case("a key file that is not there", sign(claims()), None, key="nowhere.pem", code=64)

        # RFC 9783, claim by claim.
        for size in [48, 64]: case(f"nonce of {size}", sign(claims(c10=b"\1" * size)), nonce="01" * size)
        for size in [0, 8, 31, 33, 65]: case(f"nonce of {size}", sign(claims(c10=b"\1" * size)), "4.1.1", nonce=None)
        case("nonces", sign(claims(c10=[NONCE, NONCE])), "4.1.1")
        case("no nonce", sign(claims(c10=None)), "claim 10 is missing")
        for client in [-1, -2**31, 2**31 - 1]: case(f"client {client}", sign(claims(c2394=client)))
        for client in [0, 2**31, -2**31 - 1, 2**64 - 1, "1", 1.0]: case(f"client {client!r}", sign(claims(c2394=client)), "4.1.2")
        for value in [b"\1" * 32, b"\1" * 34, b"\2" * 33, "x"]: case(f"instance {value[:2]} {len(value)}", sign(claims(c256=value)), "4.2.1")
        for size in [31, 33]: case(f"implementation of {size}", sign(claims(c2396=b"\3" * size)), "4.2.2")
        for reference in ["1234567890123-12345"]: case("certification", sign(claims(c2398=reference)))
        for reference in ["1234567890123", "1234567890123-1234a", "", 5]: case(f"certification {reference!r}", sign(claims(c2398=reference)), "4.2.3")
        for life in [0x30ff, 0x4000]: case(f"lifecycle {life:x}", sign(claims(c2395=life)))
        for life in [0x0100, 0x3100, 0x6100, 0x7000, -1, 0x13000]: case(f"lifecycle {life:x}", sign(claims(c2395=life)), "claim 2395")
        for life in [0x0000, 0x1000, 0x20ff, 0x5000, 0x6000]: case(f"lifecycle {life:x}", sign(claims(c2395=life)), "can be trusted (RFC 9783 4.3.1)")
        for size in [8, 32]: case(f"boot seed of {size}", sign(claims(c268=b"\6" * size)))
        for size in [0, 7, 33]: case(f"boot seed of {size}", sign(claims(c268=b"\6" * size)), "4.3.2")
        for size in [32, 48, 64]: case(f"measurement of {size}", sign(claims(c2399=[{2: b"\4" * size, 5: b"\5" * size}])))
        for bad in [[], {}, [1], [{2: b"\4" * 32}], [{5: b"\5" * 32}], [{2: b"\4" * 31, 5: b"\5" * 32}], [{2: b"\4" * 32, 5: b"\5" * 20}], [{1: 1, 2: b"\4" * 32, 5: b"\5" * 32}]]:
            case(f"components {len(str(bad))}", sign(claims(c2399=bad)), "4.4.1")
        case("no components", sign(claims(c2399=None)), "claim 2399 is missing")
        case("verification service", sign(claims(c2400="https://psa-verifier.org")))
        case("verification service as bytes", sign(claims(c2400=b"x")), "4.5.1")
        for profile in ["PSA_IOT_PROFILE_1", "http://arm.com/psa/2.0.0"]: case(profile, sign(claims(c265=profile)), "4.5.2")
        case("no profile", sign(claims(c265=None)), "claim 265 is missing")
        # 5.1: whoever reads takes what it does not know, and numbers that are longer than they must be; nothing indefinite.
        case("unknown claims", sign({**claims(), -80000: 1.5, 99: CBORTag(1, 2.0), "x": None, 2397: cbor2.undefined, 3: 2**64 - 1}))
        case("longer numbers", sign(cbor2.dumps(claims()).replace(b"\x19\x30\x00", b"\x1a\0\0\x30\0")))
        case("indefinite map", sign(b"\xbf" + cbor2.dumps(claims())[1:] + b"\xff"), "no CBOR")
        case("a claim twice", sign(b"\xa8" + cbor2.dumps(claims())[1:] + b"\x0a\x58\x20" + NONCE), "no CBOR")
        case("something behind it", sign(claims()) + b"\0", "no CBOR")
        case("cut off", sign(claims())[:-1], "no CBOR")
        case("nothing", b"", "no CBOR")
        case("not tagged", sign(claims(), tag=None), "5.1.1")
        case("as COSE_Mac0", sign(claims(), tag=17), "5.1.1")
        case("in CWT's tag", cbor2.dumps(CBORTag(61, cbor2.loads(sign(claims())))), "5.1.1")
        # RFC 9052.
        case("three parts", sign(claims(), outer=lambda m: m[:3]), "4.2")
        case("detached payload", sign(claims(), outer=lambda m: [m[0], m[1], None, m[3]]), "no payload")
        case("signature cut", sign(claims(), outer=lambda m: [*m[:3], m[3][:-1]]), "RFC 9052 4.4")
        case("payload changed", sign(claims(), outer=lambda m: [*m[:2], m[2].replace(b"\4", b"\7"), m[3]]), "RFC 9052 4.4")
        case("key ID", sign(claims(), unprotected={4: b"key"}))
        case("longer header", sign(claims(), b"\xa1\x18\x01\x26"))
        case("no header", sign(claims(), b""), "RFC 9052 3.1: no algorithm")
        case("empty map as header", sign(claims(), b"\xa0"), "RFC 9052 3.1: no algorithm")
        case("algorithm unprotected", sign(claims(), b"", {1: -7}), "RFC 9052 3.1: the algorithm")
        case("algorithm twice", sign(claims(), unprotected={1: -7}), "RFC 9052 3: a label stands in both")
        case("key ID twice", sign(claims(), header({1: -7, 4: b"a"}), {4: b"a"}), "RFC 9052 3: a label stands in both")
        case("header as text", sign(claims(), outer=lambda m: ["x", *m[1:]]), "4.2")
        case("header that is no map", sign(claims(), b"\x01"), "RFC 9052 3: the protected header")
        case("known and critical", sign(claims(), header({1: -7, 2: [4], 4: b"k"})))
        case("critical and unknown", sign(claims(), header({1: -7, 2: [99], 99: 1})), "RFC 9052 3.1: a critical")
        case("critical and absent", sign(claims(), header({1: -7, 2: [4]})), "RFC 9052 3.1: a critical")
        case("critical and empty", sign(claims(), header({1: -7, 2: []})), "RFC 9052 3.1")
        case("critical and unprotected", sign(claims(), unprotected={2: [4]}), "RFC 9052 3.1: the list")
        case("key ID as text", sign(claims(), unprotected={4: "key"}), "RFC 9052 3.1: a parameter")
        case("content type as a number below 0", sign(claims(), unprotected={3: -1}), "RFC 9052 3.1: a parameter")
        case("content type", sign(claims(), unprotected={3: "application/eat+cwt"}))
        case("two IVs", sign(claims(), unprotected={5: b"a", 6: b"b"}), "RFC 9052 3.1: there are")
        case("EdDSA", sign(claims(), header({1: -8})), "RFC 9783 5.2")
        case("algorithm as text", sign(claims(), header({1: "ES256"})), "RFC 9783 5.2")

        # The example of RFC 9783's appendix A.1 as its last drafts print it (claims, key and signature are those of the text).
        text = {256: b"\1" + b"\2" * 32, 2396: bytes(32), 10: b"\1" * 32, 2394: 2147483647, 2395: 12288,
            265: "tag:psacertified.org,2023:psa#tfm", 2397: bytes(8), 2399: [{5: b"\4" * 32, 2: b"\3" * 32}]}
        signature = "2f4c8152ed1691833eebb6a182d2120e3d19220df85b9ac51109113a423fa024205ceda0815968548de4fbb6dc94b88c916f0d266e64cea24183a84f977de475"
        example = cbor2.dumps(CBORTag(18, [b"\xa1\x01\x26", {}, cbor2.dumps(text), bytes.fromhex(signature)]))
        owner = ("4e5e22099e3bceb45b446d1355fd1dc3b545947b6fd7c1c89d886798c3726e8f" "80d70b840b256aac34a62ede1043364f044095f003474b91e0182092afb13f2e")
        number = ec.EllipticCurvePublicNumbers(int(owner[:64], 16), int(owner[64:], 16), ec.SECP256R1())
        case("RFC 9783 A.1", example, key=path("tfm.pem", number.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)))

        def run(number):
            name, token, expected, key, nonce, code = cases[number]
            command = [orrery, "evidence", "verify", path(f"token{number}", token), "--key", key] + (["--nonce", nonce] if nonce else [])
            ended = subprocess.run(command, capture_output=True, text=True)
            good = ended.returncode == code and (expected is None or expected in ended.stdout)
            return None if good else f"{name}: {ended.returncode} in place of {code} {expected}: {ended.stdout} {ended.stderr}"
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            wrong = [line for line in pool.map(run, range(len(cases))) if line]
        shown = json.loads(subprocess.run([orrery, "evidence", "verify", f"{folder}/token0", "--key", pems[-7], "--json"], capture_output=True, text=True).stdout)
        if (shown["claims"]["nonce"], shown["freshness"], shown["claims"]["components"][0]["version"]) != (NONCE.hex(), "not checked", "3.1.4"): wrong.append(f"json: {shown}")
        print(len(cases), *wrong, sep="\n")
        print("all as expected" if not wrong else f"{len(wrong)} otherwise")
        """#
}
