import Foundation
import Runtime
import Testing

/// What a run exports for other people's tools, read by these: STIX 2.1, and CycloneDX 1.6 of devices, packages and Orrery itself.
@Suite(.serialized) struct BillTestsSerial {
    private static let topology = """
        name: bills
        seed: 3
        stop: 20m
        networks:
          home:  { latency: 8ms }
          cloud: { latency: 30ms }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:
          fridge: { network: home, apps: [compressor], peers: [oven] }
          oven:   { network: home }
        method:
          - { at: 2m, update: { image: compressor@7 } }
          - { at: 5m, for: 5m, attack: rogue-device, target: { devices: oven } }
          - { at: 12m, for: 5m, attack: modified-image, target: { devices: fridge } }
        """

    @Test func aRunIsReadByToolsForThreatsAndForParts() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology, "bills.yaml")
        let ended = try await testbed.orrery(["run", file])
        #expect(ended.line("Digest") != nil, "\(ended.output) \(ended.errors)")
        let run = testbed.folder + "/runs/bills/latest"
        let package = try #require(
            FileManager.default.contentsOfDirectory(atPath: run + "/state/releases").first { $0.hasSuffix(".imagepackage") })
        for (arguments, name) in [
            (["report", run, "--format", "stix"], "stix.json"), (["sbom"], "orrery.json"), (["sbom", run + "/fridge"], "device.json"),
            (["sbom", run + "/state/releases/" + package], "package.json"),
        ] {
            let said = try await testbed.orrery(arguments)
            #expect(said.code == 0, "\(said.errors)")
            _ = try testbed.write(said.output, name)
            // What says the time, or hangs on the order of a hash, would be another one.
            #expect(try await testbed.orrery(arguments).output == said.output, "\(name)")
        }
        let script = try testbed.write(Self.script, "read.py")
        let output = try await testbed.tool(Testbed.root + "/.build/python/bin/python", [script, testbed.folder, run])
        #expect(output == "read\n", "\(output)")
    }

    @Test func whatIsNothingIsRefused() async throws {
        let testbed = try Testbed()
        let file = try testbed.write("no package", "x")
        #expect(try await testbed.orrery(["sbom", file]).code == 64)
        #expect(try await testbed.orrery(["sbom", testbed.folder + "/run/fridge"]).code == 64)
        #expect(try await testbed.orrery(["sbom", "nothing"]).code == 64)
    }

    private static let script = #"""
        import json, sys
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
        from stix2validator import ValidationOptions, validate_file

        folder, run = sys.argv[1:]
        # STIX 2.1 section 2.9 lets identifiers follow from names; the validator would rather have them random. MITRE's pages change,
        # so that a hash beside their address would be a lie.
        result = validate_file(folder + "/stix.json", ValidationOptions(version="2.1", strict=True, disabled=["uuid-check", "extref-hashes"]))
        problems = [str(p)[:300] for o in result.object_results for p in o.errors + o.warnings]
        assert result.is_valid and not problems, problems
        bundle = json.load(open(folder + "/stix.json"))["objects"]
        named = {o["id"]: o for o in bundle}
        assert len(named) == len(bundle)
        for o in bundle:
            refs = [v for k, v in o.items() if k.endswith("_ref")] + [v for k, vs in o.items() if k.endswith("_refs") for v in vs]
            assert all(ref in named for ref in refs), o
        targets = {(named[o["source_ref"]]["name"], named[o["target_ref"]]["name"], o["labels"][0]) for o in bundle if o.get("relationship_type") == "targets"}
        assert targets == {("rogue-device", "oven", "defended"), ("modified-image", "fridge", "defended")}, targets
        sightings = [o for o in bundle if o["type"] == "sighting"]
        alerts = [json.loads(line) for line in open(run + "/journal.ndjson") if '"alert"' in line]
        alerts = [a for a in alerts if a["kind"] == "alert"]
        assert len(sightings) == len(alerts) > 0 and any("image-refused" in s["labels"] for s in sightings)
        assert all(s["first_seen"].startswith("2026-01-01T00:") for s in sightings), sightings[0]
        ids = {r["external_id"] for o in bundle for r in o.get("external_references", [])}
        assert {"T0849", "T0857", "TID-310"} <= ids, ids

        def walk(component):
            yield component
            for part in component.get("components", []): yield from walk(part)
        for name in ["orrery", "device", "package"]:
            text = open(f"{folder}/{name}.json").read()
            error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
            assert error is None, (name, str(error)[:500])
            bill = json.loads(text)
            every = list(walk(bill["metadata"]["component"])) + [p for c in bill["components"] for p in walk(c)]
            refs = [c["bom-ref"] for c in every]
            assert len(set(refs)) == len(refs)
            assert all(d["ref"] in refs and set(d["dependsOn"]) <= set(refs) for d in bill["dependencies"]), name
        device = json.load(open(folder + "/device.json"))
        app = next(c for c in device["components"] if c["name"] == "compressor")
        # What is in its flash now, not what the factory put there.
        assert app["version"] == "7" and app["supplier"]["name"] == "acme", app
        assert {f["name"] for f in app["components"]} == {"app_manifest.json", "bin/app", "version"}
        package = json.load(open(folder + "/package.json"))["metadata"]["component"]
        assert (package["name"], package["version"]) == ("compressor", "7")
        own = json.load(open(folder + "/orrery.json"))
        parts = {c["name"]: c for c in own["components"]}
        resolved = {p["identity"]: p["state"]["version"] for p in json.load(open("@ROOT@/Package.resolved"))["pins"]}
        assert all(parts[name]["version"] == version for name, version in resolved.items())
        assert parts["swift-nio"]["purl"].startswith("pkg:swift/github.com/apple/swift-nio@")
        crypto = next(c for name, c in parts.items() if name.startswith("libcrypto.so"))
        assert crypto["purl"].startswith("pkg:deb/debian/libssl3@") and len(crypto["hashes"][0]["content"]) == 64, crypto
        print("read")
        """#.replacing("@ROOT@", with: Testbed.root)
}
