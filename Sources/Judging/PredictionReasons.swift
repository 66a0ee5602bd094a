import Catalogue
import Wire

/// Why a measured cell is not what MITRE EMB3D predicts: knowledge about the testbed, written down by hand, so that a difference that
/// nobody has thought about stands out.
struct Reason {
    var controls: [Control]
    /// By name; empty for any.
    var attacks: [String]
    /// True if the control matters though EMB3D does not say so, false if it does not though EMB3D says so.
    var matters: Bool
    var sentence: String

    static func of(_ cell: Ablation.Comparison) -> String? {
        all.first { reason in
            reason.matters == (cell.measured == .matters) && reason.controls.contains { $0.rawValue == cell.control }
                && (reason.attacks.isEmpty || reason.attacks.contains(cell.attack))
        }?.sentence
    }

    static let all: [Reason] = onlyMeasured + onlyPredicted

    private static func measured(_ controls: [Control], _ attacks: [String], _ sentence: String) -> Reason {
        Reason(controls: controls, attacks: attacks, matters: true, sentence: sentence)
    }
    private static func predicted(_ controls: [Control], _ attacks: [String], _ sentence: String) -> Reason {
        Reason(controls: controls, attacks: attacks, matters: false, sentence: sentence)
    }

    private static let onlyMeasured = [
        measured(
            [.certificateAuth], ["tls-interception", "dns-spoof", "time-spoof"],
            "EMB3D knows one remedy for wrong checks of certificates, validated libraries; whether they are checked at all is this control."
        ),
        measured(
            [.certificateAuth, .transportEncryption], ["cloned-device"],
            "Without certificates a secret that the fleet shares proves identity, and the copied flash holds it."),
        measured(
            [.certificateAuth, .transportEncryption], ["stolen-device-key"],
            "The service keeps a double out by giving it no certificate; without certificates it has nothing to withhold."),
        measured(
            [.attestationGate], ["rogue-device"],
            "EMB3D has attestation find changed software; here it also keeps out what has no device's silicon at all."),
        measured(
            [.attestationGate], ["stale-measurement"],
            "Evidence that nobody appraises need not be fresh; EMB3D counts nonces and time stamps only against a replay."),
        measured(
            [.attestationGate], ["stolen-catalog-ca"],
            "EMB3D has no threat of a stolen authority's key; an attestation result under another key is what stops it here."),
        measured(
            [.transportEncryption], ["record-replay"],
            "The nonces of a connection are TLS's own random values, which EMB3D does not count as part of encryption."),
        measured(
            [.threatDetection], ["stolen-device-key"],
            "EMB3D lists what a device can do; that one identity is in two places can only be seen by the service."),
        measured(
            [.networkFirewall], ["botnet"],
            "EMB3D has firewalls against abuse of routing, and better passwords against default ones; a closed port hides the password too."
        ),
    ]

    private static let onlyPredicted = [
        predicted(
            [.authenticatedTime], [],
            "MID-034 is about all messages; this control authenticates one kind only, the replies of the time service."),
        predicted(
            [.certificateAuth, .mutualDeviceAuth], ["record-tamper"],
            "Whoever's certificate was looked at, TLS goes on to authenticate every record under the connection's own keys."),
        predicted(
            [.mutualDeviceAuth], ["time-spoof"],
            "What is impersonated is the service, whose certificate devices go on to check; only devices' own peers may come without."),
        predicted(
            [.certificateAuth, .mutualDeviceAuth, .transportEncryption], ["stolen-catalog-ca"],
            "Where nobody asks for a certificate a forged one gains nothing: who then comes in comes in as rogue-device."),
        predicted(
            [.nonces], ["record-replay"],
            "This control is about the verifier's challenges; what is replayed are connections, which TLS's random values tell apart."),
        predicted(
            [.updateFreshness], ["record-replay", "stale-measurement"],
            "MID-037 is about all messages; what expires here is the metadata of updates."),
        predicted(
            [.attestationGate], ["modified-image"],
            "Attestation tells of changed images, it does not keep them from running; a device whose boot is secure does not start them."),
        predicted(
            [.attestationGate], ["boot-glitch"],
            "The implant does not get to run where boot code is hardened, so there is nothing for the verifier to find."),
        predicted(
            [.secureBoot], ["boot-glitch"],
            "An implant that starts without a check is measured, and without a fault to skip that it cannot pass for what was there before."
        ),
        predicted(
            [.secureBoot, .attestationGate], ["update-mix-and-match"],
            "Both look at images one by one, each of which is genuine; that they do not belong together only the metadata can tell."),
        predicted(
            [.signedUpdates], ["update-freeze", "update-mix-and-match"],
            "All that the mirror serves was really signed once: a signature does not tell when, nor what belongs to it."),
        predicted(
            [.renewableSecurity], ["update-freeze", "update-mix-and-match", "stolen-signing-key"],
            "A fleet that looks for no updates is offered none by the mirror either: it is as frozen, but not by an attacker."),
        predicted(
            [.signedUpdates], ["stolen-signing-key"],
            "The attacker has a key to the metadata either way; the images are signed by other keys, which secure boot checks."),
        predicted(
            [.updateFreshness], ["stolen-signing-key"],
            "What is signed with stolen keys is new, so that no date gives it away."),
        predicted(
            [.hardwareRootOfTrust], ["stolen-device-key"],
            "The attacker has the keys wherever they lay; what is measured is whether their double is found and kept out."),
        predicted(
            [.memoryProtection, .appIsolation], ["remote-exploit"],
            "The guard before the return address ends it first; these decide how far it comes where the guard is missing."),
        predicted(
            [.memoryProtection, .appIsolation, .stackProtection], ["escalation"],
            "It takes published weaknesses of an older OS (os: in the topology); the one that runs here has their fixes, whatever is off."),
    ]
}
