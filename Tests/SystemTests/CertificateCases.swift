/// Certification paths that are right or wrong by one thing each, made octet by octet: what makes certificates properly
/// would not make most of these.
enum CertificateCases {
    /// One case.
    struct Case: Decodable {
        var name: String
        /// In hexadecimal DER.
        var root: String
        var others: [String]
        var leaf: String
        /// What the leaf is asked to be; nil to ask for no name.
        var host: String?
        var time: Int64
        /// Part of the refusal; nil if it is valid.
        var refusal: String?
        /// A case of the links' own profile, valid by RFC 5280.
        var isProfile: Bool
        /// The leaf's private key, 32 octets.
        var key: String
    }

    /// Prints the cases as a JSON array.
    static let script = #"""
        import datetime, hashlib, json
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

        def tlv(tag, *parts):
            body = b"".join(parts)
            count = len(body)
            head = bytes([count]) if count < 128 else (lambda b: bytes([128 + len(b)]) + b)(count.to_bytes((count.bit_length() + 7) // 8, "big"))
            return bytes([tag]) + head + body
        def seq(*parts): return tlv(0x30, *parts)
        def integer(n): return tlv(2, n.to_bytes(max(1, (n.bit_length() + 8) // 8), "big", signed=True))
        def oid(text):
            first, second, *rest = map(int, text.split("."))
            out = [first * 40 + second]
            for arc in rest:
                chunk = [arc & 127]
                while arc := arc >> 7: chunk.insert(0, arc & 127 | 128)
                out += chunk
            return tlv(6, bytes(out))
        def bits(octet, unused): return tlv(3, bytes([unused, octet]))
        def named(common): return seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(12, common.encode())))) if common else seq()
        def utc(t): return tlv(23, datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%y%m%d%H%M%SZ").encode())
        def ext(name, value, critical=False): return seq(oid(name), tlv(1, b"\xff") if critical else b"", tlv(4, value))
        def dns(*names): return seq(*(tlv(0x82, n.encode()) for n in names))
        def permitted(name): return seq(tlv(0xA0, seq(tlv(0x82, name.encode()))))
        def excluded(name): return seq(tlv(0xA1, seq(tlv(0x82, name.encode()))))
        def spki(key): return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        def keyid(key): return hashlib.sha1(spki(key)).digest()

        SKI, AKI, BC, KU, EKU, SAN, NC = "2.5.29.14", "2.5.29.35", "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17", "2.5.29.30"
        SERVER, CLIENT = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
        ES256, ES384, RS256 = "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.113549.1.1.11"
        NOW = 1_800_000_000
        keys = {name: ec.derive_private_key(n + 2, ec.SECP256R1()) for n, name in enumerate(["root", "ca", "sub", "leaf", "other"])}
        keys["p384"] = ec.derive_private_key(7, ec.SECP384R1())
        keys["rsa"] = rsa.generate_private_key(65537, 2048)

        class Cert:
            """What a good one holds; a case changes one thing."""
            def __init__(self, subject, key, issuer, signer):
                self.subject, self.key, self.issuer, self.signer = subject, key, issuer, signer
                self.version, self.serial, self.life = 2, 1000 + len(subject), (NOW - 1000, NOW + 1000)
                self.algorithm, self.outer, self.breaks = None, None, False
                self.ext = {SKI: [ext(SKI, tlv(4, keyid(keys[key])))]}
                if subject != issuer: self.ext[AKI] = [ext(AKI, seq(tlv(0x80, keyid(keys[signer]))))]
            def der(self):
                signer = keys[self.signer]
                algorithm = self.algorithm or (RS256 if self.signer == "rsa" else ES384 if self.signer == "p384" else ES256)
                def identifier(a): return seq(oid(a), b"\x05\x00" if a == RS256 else b"")
                extensions = [e for group in self.ext.values() for e in group]
                tbs = seq(
                    tlv(0xA0, integer(2)) if self.version == 2 else b"", integer(self.serial), identifier(algorithm), named(self.issuer),
                    seq(utc(self.life[0]), utc(self.life[1])), named(self.subject), spki(keys[self.key]),
                    tlv(0xA3, seq(*extensions)) if extensions else b"")
                digest = hashes.SHA384() if algorithm == ES384 else hashes.SHA256()
                signature = signer.sign(tbs, padding.PKCS1v15(), digest) if self.signer == "rsa" else signer.sign(tbs, ec.ECDSA(digest))
                if self.breaks: tbs = tbs.replace(b"leaf", b"lead")
                return seq(tbs, identifier(self.outer or algorithm), tlv(3, b"\0" + signature))

        def authority(subject, key, issuer, signer, length=None):
            made = Cert(subject, key, issuer, signer)
            made.ext[BC] = [ext(BC, seq(tlv(1, b"\xff"), integer(length) if length is not None else b""), True)]
            made.ext[KU] = [ext(KU, bits(0x06, 1), True)]
            return made
        def entity(host="a.example.org", issuer="ca", signer="ca", key="leaf"):
            made = Cert("leaf", key, issuer, signer)
            made.ext[KU] = [ext(KU, bits(0x80, 7), True)]
            made.ext[EKU] = [ext(EKU, seq(oid(SERVER), oid(CLIENT)))]
            if host: made.ext[SAN] = [ext(SAN, dns(*host.split()))]
            return made

        cases = []
        def case(name, refusal=None, change=lambda root, ca, leaf: None, host="a.example.org", time=NOW, san="a.example.org", profile=False):
            root, ca, leaf = authority("root", "root", "root", "root"), authority("ca", "ca", "root", "root"), entity(san)
            more = change(root, ca, leaf) or []
            cases.append({"name": name, "root": root.der().hex(), "others": [c.der().hex() for c in [ca, *more]], "leaf": leaf.der().hex(),
                "host": host, "time": time, "refusal": refusal, "isProfile": profile, "key": (5).to_bytes(32, "big").hex()})
        def put(which, name, *values):
            """Replaces an extension (or, without values, takes it away)."""
            def change(root, ca, leaf): {"root": root, "ca": ca, "leaf": leaf}[which].ext[name] = list(values)
            return change
        def field(which, name, value):
            def change(root, ca, leaf): setattr({"root": root, "ca": ca, "leaf": leaf}[which], name, value)
            return change

        # 4.1.2.5: both ends are in.
        case("baseline")
        case("at notBefore", time=NOW - 1000)
        case("at notAfter", time=NOW + 1000)
        case("before notBefore", "not yet valid", time=NOW - 1001)
        case("after notAfter", "expired", time=NOW + 1001)
        case("authority ends before", "expired", field("ca", "life", (NOW - 1000, NOW - 1)))
        case("authority ends now", None, field("ca", "life", (NOW - 1000, NOW)))
        case("authority begins later", "not yet valid", field("ca", "life", (NOW + 1, NOW + 1000)))
        # RFC 9525 6.3 and 6.4: names.
        def common(root, ca, leaf): leaf.subject = "a.example.org"
        case("common name only", "wrong name", common, san=None)
        case("common name beside another", "wrong name", common, san="b.example.org")
        case("wildcard", san="*.example.org")
        for bad in ["f*.example.org", "*o.example.org", "f*o.example.org"]: case("partial wildcard " + bad, "wrong name", host="foo.example.org", san=bad)
        case("wildcard for two labels", "wrong name", host="b.a.example.org", san="*.example.org")
        case("wildcard for none", "wrong name", host="example.org", san="*.example.org")
        case("wildcard inside", "wrong name", host="b.a.example.org", san="b.*.example.org")
        case("wildcard alone", "wrong name", host="example", san="*")
        case("wildcard under the top", "wrong name", host="example.org", san="*.org")
        case("address as a name", "wrong name", host="192.0.2.1", san="192.0.2.1")
        case("address", None, put("leaf", SAN, ext(SAN, seq(tlv(0x87, bytes([192, 0, 2, 1]))))), host="192.0.2.1")
        case("name with a NUL", "wrong name", put("leaf", SAN, ext(SAN, dns("a.example.org\0.evil.org"))))
        case("other case", san="A.Example.ORG")
        # 4.1: fields.
        for serial in [0, -1, -(1 << 80), 1 << 160]: case(f"serial {serial}", "4.1.2.2", field("leaf", "serial", serial))
        case("serial of 20 octets", None, field("leaf", "serial", (1 << 159) - 1))
        case("authority with serial 0", "4.1.2.2", field("ca", "serial", 0))
        def first(root, ca, leaf): leaf.version, leaf.ext = 0, {}
        case("version 1", "4.1.2.1", first, host=None)
        case("version 1 with extensions", "Using cert extension requires at least X509v3", field("leaf", "version", 0))
        def firstAuthority(root, ca, leaf): ca.version, ca.ext = 0, {}
        case("version 1 authority", "invalid CA certificate", firstAuthority)
        case("outer algorithm is another", "signature", field("leaf", "outer", ES384))
        case("broken signature", "bad signature", field("leaf", "breaks", True))
        case("another's signature", "bad signature", field("leaf", "signer", "other"))
        def nameless(root, ca, leaf): ca.subject, leaf.issuer = "", ""
        case("authority without a name", "name", nameless)
        case("subject in a name that is not critical", "Subject", field("leaf", "subject", ""))
        def inName(root, ca, leaf): leaf.subject, leaf.ext[SAN] = "", [ext(SAN, dns("a.example.org"), True)]
        case("subject in a critical name", None, inName)
        # 4.2: extensions.
        case("no authority key identifier", "Authority Key Identifier", put("leaf", AKI))
        case("authority key identifier critical", "critical extension", put("leaf", AKI, ext(AKI, seq(tlv(0x80, keyid(keys["ca"]))), True)))
        case("authority without key identifier", "Subject Key Identifier", put("ca", SKI))
        case("subject key identifier critical", "critical extension", put("ca", SKI, ext(SKI, tlv(4, keyid(keys["ca"])), True)))
        unknown = "1.3.6.1.4.1.99999.1"
        case("unknown extension", None, put("leaf", unknown, ext(unknown, b"\x05\0")))
        case("unknown extension twice", "4.2: an extension stands twice", put("leaf", unknown, ext(unknown, b"\x05\0"), ext(unknown, b"\x05\0")))
        case("alternative names twice", "4.2: an extension stands twice", put("leaf", SAN, ext(SAN, dns("a.example.org")), ext(SAN, dns("b.example.org"))))
        for who in ["leaf", "ca", "root"]: case("unknown critical extension: " + who, "critical extension", put(who, unknown, ext(unknown, b"\x05\0", True)))
        case("key usage empty", "4.2: ", put("leaf", KU, ext(KU, tlv(3, b"\0"), True)))
        case("leaf that may sign certificates", "invalid CA certificate", put("leaf", KU, ext(KU, bits(0x84, 2), True)))
        case("authority that may not", "invalid CA certificate", put("ca", KU, ext(KU, bits(0x02, 1), True)))
        case("authority without key usage", "key usage", put("ca", KU))
        case("no authority", "invalid CA certificate", put("ca", BC, ext(BC, seq(), True)))
        case("authority not critical", "Basic Constraints", put("ca", BC, ext(BC, seq(tlv(1, b"\xff")))))
        case("no basic constraints", "invalid CA certificate", put("ca", BC))
        case("path length in a leaf", "Path length", put("leaf", BC, ext(BC, seq(integer(1)), True)))
        case("client only", "wrong purpose", put("leaf", EKU, ext(EKU, seq(oid(CLIENT)))))
        def deeper(length):
            def change(root, ca, leaf):
                ca.ext[BC] = [ext(BC, seq(tlv(1, b"\xff"), integer(length)), True)]
                leaf.issuer, leaf.signer = "sub", "sub"
                leaf.ext[AKI] = [ext(AKI, seq(tlv(0x80, keyid(keys["sub"]))))]
                return [authority("sub", "sub", "ca", "ca")]
            return change
        case("path as long as it may be", None, deeper(1))
        case("path too long", "path length constraint exceeded", deeper(0))
        case("name constraints kept", None, put("ca", NC, ext(NC, permitted("example.org"), True)))
        case("name not permitted", "permitted subtree violation", put("ca", NC, ext(NC, permitted("example.com"), True)))
        case("name excluded", "excluded subtree violation", put("ca", NC, ext(NC, excluded("example.org"), True)))
        case("name constraints not critical", "4.2.1.10", put("ca", NC, ext(NC, permitted("example.org"))))
        case("name constraints in a leaf", "4.2.1.10", put("leaf", NC, ext(NC, permitted("example.org"), True)))
        policies, information = "2.5.29.36", "1.3.6.1.5.5.7.1.1"
        case("a policy is required", "no explicit policy", put("ca", policies, ext(policies, seq(tlv(0x80, b"\0")), True)))
        case("policy constraints not critical", None, put("ca", policies, ext(policies, seq(tlv(0x81, b"\0")))))
        case("inhibition of anyPolicy not critical", "4.2.1.14", put("ca", "2.5.29.54", ext("2.5.29.54", integer(0))))
        where = seq(seq(oid("1.3.6.1.5.5.7.48.1"), tlv(0x86, b"http://a")))
        case("authority information critical", "critical extension", put("leaf", information, ext(information, where, True)))
        # Keys of other kinds are RFC 5280's, not the profile's.
        def other(key):
            def change(root, ca, leaf):
                ca.key, leaf.signer, ca.ext[SKI] = key, key, [ext(SKI, tlv(4, keyid(keys[key])))]
                leaf.ext[AKI] = [ext(AKI, seq(tlv(0x80, keyid(keys[key]))))]
            return change
        case("P-384 authority", None, other("p384"))
        case("RSA authority", None, other("rsa"))
        # The links' own profile.
        case("profile: baseline", None, profile=True)
        case("profile: ecdsa-with-SHA384", "signature is not ecdsa-with-SHA256", field("leaf", "algorithm", ES384), profile=True)
        case("profile: no alternative name", "no subject alternative name", put("leaf", SAN), host=None, profile=True)
        case("profile: no purpose", "no extended key usage", put("leaf", EKU), profile=True)
        case("profile: may not sign", "leaf may not sign", put("leaf", KU, ext(KU, bits(0x08, 3), True)), profile=True)
        case("profile: lives too long", "leaf lives longer", field("leaf", "life", (NOW - 1000, NOW + 90_000)), profile=True)
        case("profile: leaf is an authority", "leaf is an authority", put("leaf", BC, ext(BC, seq(tlv(1, b"\xff")), True)), profile=True)
        print(json.dumps(cases))
        """#
}
