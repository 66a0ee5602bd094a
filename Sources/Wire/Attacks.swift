/// Deliberate acts of an adversary.
public enum AttackName: String, Sendable, Codable, CaseIterable {
    case tlsInterception = "tls-interception"
    case recordTamper = "record-tamper"
    case rogueDevice = "rogue-device"
    case clonedDevice = "cloned-device"
    case dnsSpoof = "dns-spoof"
    case recordReplay = "record-replay"
    case timeSpoof = "time-spoof"
    case downgrade = "downgrade"
    case staleMeasurement = "stale-measurement"
    case modifiedImage = "modified-image"
    case bootGlitch = "boot-glitch"
    case debugPort = "debug-port"
    case updateRollback = "update-rollback"
    case updateFreeze = "update-freeze"
    case updateMixAndMatch = "update-mix-and-match"
    case endlessData = "endless-data"
    case stolenSigningKey = "stolen-signing-key"
    case stolenDeviceKey = "stolen-device-key"
    case stolenCatalogCA = "stolen-catalog-ca"
    case credentialFlood = "credential-flood"
    case botnet = "botnet"
    case remoteExploit = "remote-exploit"
    case escalation

    /// It stands between devices and the update server, so that only one such can be at work for a device.
    public var holdsUpdates: Bool {
        switch self {
        case .updateRollback, .updateFreeze, .updateMixAndMatch, .endlessData, .stolenSigningKey: true
        default: false
        }
    }

    public var parameters: [Parameter] {
        switch self {
        case .stolenSigningKey: [Parameter("keys", .word(["one", "threshold"]), isRequired: false)]
        case .escalation: [Parameter("to", .word(["daemon", "kernel", "monitor", "pluton"]), isRequired: false)]
        case .remoteExploit: [Parameter("code", .word(["injected", "reused", "both"]), isRequired: false)]
        default: []
        }
    }
}

/// What is to be known of an attack before it is run: for `orrery attacks NAME` and for judging it.
public struct AttackEntry: Sendable {
    public let summary: String
    public let mechanism: String
    /// What the adversary must have.
    public let needs: String
    /// The observation that proves success.
    public let oracle: String
    /// What it represents: MITRE ATT&CK for ICS 18.1 and EMB3D 2.0.1.
    public let techniques: String
    /// Without any one of these it is expected to succeed.
    public let controls: [Control]
    /// Detection rules that an alert about it may come from.
    public let rules: [DetectionRule]
}

/// What the service concludes from its own records.
public enum DetectionRule: String, Sendable, Codable, CaseIterable {
    case evidenceRefused = "evidence-refused"
    case identityInTwoPlaces = "identity-in-two-places"
    case authenticationFailures = "authentication-failures"
    case imageRefused = "image-refused"
    case updateRefused = "update-refused"
    case timeRefused = "time-refused"
    case deniedConnections = "denied-connections"
    case flood
    case crashCluster = "crash-cluster"
    case memoryCorruption = "memory-corruption"
    case silence

    /// MITRE ATT&CK for ICS 18.1.
    public var technique: String {
        switch self {
        case .evidenceRefused, .identityInTwoPlaces, .authenticationFailures: "T0849"
        case .imageRefused, .updateRefused: "T0857"
        case .timeRefused: "T0830"
        case .deniedConnections, .memoryCorruption: "T0866"
        case .flood: "T0814"
        case .crashCluster: "T0816"
        case .silence: "T0804"
        }
    }
}

extension AttackName {
    public var entry: AttackEntry {
        switch self {
        case .tlsInterception:
            AttackEntry(
                summary: "answers in place of whoever the targets call, with a forged certificate, and reads along",
                mechanism:
                    "Connections that the targets open are diverted to a node of the attacker's, which shows a self-made certificate with the right names, calls the one that was meant, and passes on what it reads.",
                needs: "a position on the targets' network; names of those that they call",
                oracle: "the interceptor holds plaintext that a target sent",
                techniques: "ATT&CK ICS T0830 Adversary-in-the-Middle; EMB3D TID-316",
                controls: [.certificateAuth, .transportEncryption], rules: [.authenticationFailures])
        case .recordTamper:
            AttackEntry(
                summary: "changes bytes of what the targets send, in flight",
                mechanism: "One bit deep in a TLS record, or a digit of readable text, is changed in everything that the targets send.",
                needs: "a position on the targets' path",
                oracle: "a request that was changed on the way is answered with success",
                techniques: "ATT&CK ICS T0832 Manipulation of View; EMB3D TID-408",
                controls: [.transportEncryption], rules: [.authenticationFailures, .silence])
        case .rogueDevice:
            AttackEntry(
                summary: "a device that nobody made asks for a certificate in the targets' names and calls them",
                mechanism:
                    "A node on the targets' network offers evidence that is none for the targets' device IDs, and calls the targets with a forged certificate, without one, and without TLS.",
                needs: "a place on the targets' network; their device IDs, which their labels show; a secret from a device taken apart",
                oracle: "the service gives an attestation result in a target's name, or a target answers",
                techniques: "ATT&CK ICS T0849 Masquerading; EMB3D TID-310, TID-406",
                controls: [.attestationGate, .mutualDeviceAuth, .certificateAuth, .transportEncryption],
                rules: [.evidenceRefused, .authenticationFailures])
        case .clonedDevice:
            AttackEntry(
                summary: "runs a copy of the targets' flash in other silicon",
                mechanism:
                    "The flash chip is desoldered, copied and put beside other silicon of the same kind, which then boots and does what the device would do.",
                needs: "the targets' flash chips for the time of a copy; chips of the same kind",
                oracle: "the service or a peer accepts an exchange from the copy",
                techniques: "ATT&CK ICS T0849 Masquerading; EMB3D TID-214",
                controls: [.hardwareRootOfTrust, .certificateAuth, .transportEncryption],
                rules: [.evidenceRefused, .identityInTwoPlaces, .authenticationFailures])
        case .dnsSpoof:
            AttackEntry(
                summary: "answers the targets' look-ups with its own address, where it waits with a forged certificate",
                mechanism:
                    "As tls-interception, but the targets come by themselves: their look-ups are answered with the attacker's address.",
                needs: "the targets' resolver, or a place from which to answer before it",
                oracle: "the false callee holds plaintext that a target sent",
                techniques: "ATT&CK ICS T0830 Adversary-in-the-Middle; EMB3D TID-316",
                controls: [.certificateAuth, .transportEncryption], rules: [.authenticationFailures])
        case .recordReplay:
            AttackEntry(
                summary: "records what the targets say to the service and says it again",
                mechanism: "The bytes of whole connections are kept and sent once more, a minute later, from a node of the attacker's.",
                needs: "a position on the targets' path; a place from which to reach the service",
                oracle: "the service answers a recorded request with success",
                techniques: "ATT&CK ICS T0855 Unauthorized Command Message; EMB3D TID-221, TID-407",
                controls: [.transportEncryption], rules: [.authenticationFailures])
        case .timeSpoof:
            AttackEntry(
                summary: "sets the targets' clocks back by forged time replies, to when a stolen certificate had not expired",
                mechanism:
                    "Replies of the time service are rewritten on the way. Connections are diverted to a node that holds the service's certificate of last month with its key, which the clocks now call valid.",
                needs: "a position on the targets' path; an expired certificate of the service with its key",
                oracle: "the attacker holds plaintext that a target sent under the expired certificate",
                techniques: "ATT&CK ICS T0830 Adversary-in-the-Middle; EMB3D TID-316, TID-411",
                controls: [.authenticatedTime, .certificateAuth, .transportEncryption], rules: [.timeRefused, .authenticationFailures])
        case .downgrade:
            AttackEntry(
                summary: "asks the service and the targets for TLS 1.2 with weak groups",
                mechanism:
                    "A client that offers nothing better than TLS 1.2 knocks at every TLS port and reads whether it is answered with a ServerHello or with an alert.",
                needs: "a place on the targets' network",
                oracle: "somebody agrees to TLS 1.2, or takes a connection without TLS",
                techniques: "ATT&CK ICS T0830 Adversary-in-the-Middle; EMB3D TID-411",
                controls: [.strongAlgorithms, .transportEncryption], rules: [.authenticationFailures])
        case .staleMeasurement:
            AttackEntry(
                summary: "shows the verifier evidence of the targets from an earlier day",
                mechanism:
                    "Evidence is no secret: it turns up in logs. A token of each target is taken from the service's log and offered as the answer to a new challenge; with the attestation result the attacker enrols a key of its own.",
                needs: "the targets' device IDs; the service's log",
                oracle: "the service gives an attestation result for an old token",
                techniques: "ATT&CK ICS T0856 Spoof Reporting Message; EMB3D TID-221",
                controls: [.nonces, .attestationGate], rules: [.evidenceRefused])
        case .modifiedImage:
            AttackEntry(
                summary: "rewrites an OS image in the targets' flash on the bench",
                mechanism:
                    "Power off, a clip on the flash chip, the primary copy of the services image changed, power on. It is put back at the end.",
                needs: "the targets in hand, opened",
                oracle: "a target runs the changed image",
                techniques: "ATT&CK ICS T0857 System Firmware; EMB3D TID-201",
                controls: [.secureBoot], rules: [.evidenceRefused, .imageRefused])
        case .bootGlitch:
            AttackEntry(
                summary: "puts an implant into the targets' flash and has boot code start it by a fault",
                mechanism:
                    "On the bench, the primary copy of the first boot loader is replaced. Then the power is switched on again and again with one instruction skipped, at another place each time, until the implant says that it runs and that nobody has measured it; it measures in its own place what should have been there. With that fault the target goes back to its network.",
                needs: "the targets in hand, opened, and a glitcher",
                oracle: "a target on which the implant runs is attested, or has an exchange accepted",
                techniques: "ATT&CK ICS T0857 System Firmware; EMB3D TID-105, TID-201",
                controls: [.glitchHardening], rules: [.imageRefused, .evidenceRefused])
        case .debugPort:
            AttackEntry(
                summary: "attaches a debugger to the targets' real-time cores and stops them",
                mechanism:
                    "A probe on the SWD pins of a running device reads the vector table of each real-time core and halts it, while the rest of the device goes on talking. It is let go at the end.",
                needs: "the targets in hand, running, and a debug probe",
                oracle: "the probe holds a core, and the service or a peer still accepts the device",
                techniques: "ATT&CK ICS T0835 Manipulate I/O Image; EMB3D TID-116, TID-119",
                controls: [.debugLock], rules: [])
        case .updateRollback:
            AttackEntry(
                summary: "lets the targets install an old release again, after a newer one",
                mechanism:
                    "A mirror in place of the update server passes everything on until the targets have the newer release, and from then on serves what it recorded before: metadata that was signed and has not expired.",
                needs: "a position between the targets and the update server",
                oracle: "a target runs an older release than before",
                techniques: "ATT&CK ICS T0857 System Firmware; EMB3D TID-216",
                controls: [.rollbackProtection], rules: [.updateRefused])
        case .updateFreeze:
            AttackEntry(
                summary: "keeps showing the targets metadata of before a release",
                mechanism: "A mirror in place of the update server serves what it recorded when it came, whatever has been released since.",
                needs: "a position between the targets and the update server",
                oracle: "a target takes metadata that has expired for the newest",
                techniques: "ATT&CK ICS T0803 Block Command Message; EMB3D TID-216",
                controls: [.updateFreshness], rules: [.updateRefused])
        case .updateMixAndMatch:
            AttackEntry(
                summary: "gives the targets parts of two releases that never belonged together",
                mechanism:
                    "A mirror in place of the update server passes on new timestamps and snapshots, and the targets metadata of before under the new name.",
                needs: "a position between the targets and the update server",
                oracle: "a target accepts a set of metadata that was never published",
                techniques: "ATT&CK ICS T0857 System Firmware; EMB3D TID-213",
                controls: [.updateFreshness], rules: [.updateRefused])
        case .endlessData:
            AttackEntry(
                summary: "answers requests for small files with bytes without end",
                mechanism: "A mirror in place of the update server answers every request for metadata with a body that does not end.",
                needs: "a position between the targets and the update server",
                oracle: "a target takes more than a mebibyte for a file of a few kilobytes",
                techniques: "ATT&CK ICS T0814 Denial of Service; EMB3D TID-217, TID-404",
                controls: [.requestLimits], rules: [.updateRefused])
        case .stolenSigningKey:
            AttackEntry(
                summary: "signs an image of its own into the update metadata, with stolen keys",
                mechanism:
                    "A mirror in place of the update server names a newer version of an app in both repositories, which is the last release with other content, and signs with what was stolen: all online keys and one of two keys for targets, or (keys: threshold) both.",
                needs: "a position between the targets and the update server; signing keys of the update service",
                oracle: "a target installs an image that nobody released",
                techniques: "ATT&CK ICS T0862 Supply Chain Compromise; EMB3D TID-211, TID-212",
                controls: [.secureBoot], rules: [.updateRefused])
        case .stolenDeviceKey:
            AttackEntry(
                summary: "runs a double of the targets, keys and all",
                mechanism:
                    "Fuses are read out by means that cost more than the device. New silicon with the same fuses and flash boots, attests and talks in the targets' names.",
                needs: "the targets in a laboratory; chips that can be fused",
                oracle: "the service still accepts the double half an hour after it first did",
                techniques: "ATT&CK ICS T0849 Masquerading; EMB3D TID-214, TID-220",
                controls: [.threatDetection, .certificateAuth, .transportEncryption], rules: [.identityInTwoPlaces])
        case .stolenCatalogCA:
            AttackEntry(
                summary: "issues device certificates with the stolen key of the catalog's authority",
                mechanism:
                    "A node on the targets' network signs itself customer and update certificates in the targets' names and speaks to the service and to the targets.",
                needs: "the private key of the catalog CA",
                oracle: "the service or a target accepts an exchange under a certificate that the service never issued",
                techniques: "ATT&CK ICS T0849 Masquerading; EMB3D TID-220, TID-317",
                controls: [.attestationGate], rules: [.authenticationFailures])
        case .credentialFlood:
            AttackEntry(
                summary: "takes all connections of the service, and asks for challenges without end",
                mechanism:
                    "A node opens more connections to the service than it has room for and holds them, and asks for challenges in the targets' names on others.",
                needs: "a place from which to reach the service",
                oracle: "the service turns a target away",
                techniques: "ATT&CK ICS T0814 Denial of Service; EMB3D TID-405",
                controls: [.requestLimits], rules: [.flood])
        case .botnet:
            AttackEntry(
                summary: "logs in to what answers on ports 23 and 2323 with default passwords, and floods on command",
                mechanism:
                    "From a node in the targets' home it scans the network, tries about sixty default passwords wherever a console answers, reports what it got into, loads a script there and has it send datagrams to a victim.",
                needs: "one compromised device in the targets' network",
                oracle: "a target sends what the bot told it to",
                techniques: "ATT&CK ICS T0812 Default Credentials; EMB3D TID-311, TID-405",
                controls: [.networkFirewall], rules: [.deniedConnections])
        case .remoteExploit:
            AttackEntry(
                summary: "takes over the panel app of the targets over its TCP port",
                mechanism:
                    "A frame that is longer than the app's buffer overwrites a return address: first with that of machine code in the same frame, then with those of pieces of the app itself (return-oriented). What runs makes system calls: it rewrites the app's code, asks for the kernel's log, opens another app's pin, connects to a host that no manifest lists, becomes another user, opens Pluton and the security monitor; and sends back what came of each.",
                needs: "a place from which to reach the panel's port; the app's program, as its vendor publishes it",
                oracle: "the targets send back what only code of the attacker's can",
                techniques: "ATT&CK ICS T0866 Exploitation of Remote Services; EMB3D TID-327, TID-219",
                controls: [.stackProtection], rules: [.memoryCorruption, .deniedConnections])
        case .escalation:
            AttackEntry(
                summary: "goes on from a panel that is open to it: to a daemon, the kernel, the security monitor or Pluton",
                mechanism:
                    "Through the same hole, one published weakness of the original's OS after another. to: daemon lays a link where crash dumps go and crashes with a line for the map of users on its stack, so that it is started again as the updater; to: kernel writes to the gone peer of a socket; to: monitor has it commit an image that nobody signed; to: pluton sends a request that is too long, and has it signed with the key for evidence.",
                needs:
                    "a panel with a hole; an OS that has the weaknesses (os: in the topology), and what an earlier step obtained (uses:)",
                oracle:
                    "the panel sends back who it is, what the monitor answered, or a signature that the key on the device's label verifies",
                techniques: "ATT&CK ICS T0890 Exploitation for Privilege Escalation; EMB3D TID-219, TID-304",
                controls: [], rules: [.memoryCorruption])
        }
    }
}
