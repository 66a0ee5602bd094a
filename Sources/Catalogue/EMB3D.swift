/// MITRE EMB3D 2.0.1 (April 2025): which mitigation is good against which threats. Its terms are in NOTICE.
///
/// All relations of the kind "mitigates" are here, 213 of the 343 of the release; the others tie threats to properties of devices, and
/// properties to each other. The release tells them twice, by mitigation and by threat, and the two agree.
public enum EMB3D {
    public static let version = "2.0.1"

    /// Threats by mitigation: the numbers of TID-… by that of MID-….
    public static let relations: [Int: [Int]] = [
        1: [201, 203, 211, 213, 218, 301], 2: [201, 203, 211, 213, 218, 301], 3: [201, 203, 213, 218, 301, 302],
        4: [202, 206, 219, 327], 5: [202, 206, 219, 327], 6: [202, 327], 7: [202, 206], 8: [202, 309, 404, 405],
        9: [203, 218, 301, 302, 304], 10: [203], 11: [113, 203], 12: [204, 205, 219, 304, 305, 306], 13: [204, 304, 327],
        14: [103, 110, 202, 204, 205, 304, 305], 15: [204, 205, 304, 305], 16: [205], 17: [205, 308, 315, 412], 18: [205, 224, 412],
        19: [206], 20: [206], 21: [208], 22: [207, 306], 23: [208, 209], 24: [209], 25: [210], 26: [210, 211, 212, 213, 215, 217],
        27: [101, 102, 213, 316, 318, 330], 28: [214], 29: [201], 30: [216], 31: [217, 222, 302, 412], 32: [217, 222, 404, 405],
        33: [212, 220, 317], 34: [310, 406], 35: [321, 408], 36: [221, 407], 37: [221, 407], 38: [222, 225, 302, 312, 313, 412],
        39: [224], 40: [302], 41: [302, 303], 42: [307], 43: [311, 328], 44: [330, 410, 411], 45: [314], 46: [314], 47: [317],
        48: [317], 49: [329], 50: [103], 51: [103, 110, 302], 52: [106, 108, 109, 114], 53: [107], 54: [106, 108],
        55: [106, 108, 109, 114], 56: [111], 57: [115, 116, 119], 58: [115, 119], 59: [101, 102], 60: [101, 102, 214, 317, 318],
        61: [103], 62: [105], 63: [105], 64: [106, 108], 65: [106, 107, 109, 110, 223], 66: [105, 110], 67: [110], 68: [114],
        69: [118], 70: [107, 113], 71: [319], 72: [320], 73: [321], 74: [322], 75: [323], 76: [324], 77: [326], 78: [325],
        79: [401], 80: [405], 81: [406, 408], 82: [411], 83: [412], 84: [226], 85: [225], 86: [202, 206, 219, 327],
        87: [204, 208, 219], 88: [202, 309, 326, 404, 405], 89: [202, 304, 306, 326, 404, 405],
    ]

    /// Names of the mitigations that stand for controls, and of the threats that attacks act out.
    static let names: [String: String] = [
        "MID-002": "Hardware-backed Bootloader Authentication",
        "MID-003": "Periodic/Continuous Integrity Measurement and Remote Attestation",
        "MID-004": "Memory Hardening Against Code Injection",
        "MID-007": "Control Flow Manipulation Protections",
        "MID-012": "OS-based Access Control Mechanisms",
        "MID-026": "Secure Firmware Update",
        "MID-028": "Hardware-backed Key Storage",
        "MID-030": "Firmware Rollback Protections",
        "MID-034": "Authenticate Network Messages",
        "MID-035": "Encrypt Network Traffic",
        "MID-036": "Cryptographic Nonces",
        "MID-037": "Network Timestamps",
        "MID-044": "Strong Cryptographic Algorithms and Protocols",
        "MID-057": "Disable Physical Development and Debugging Ports",
        "MID-063": "Software Mitigations for Fault Injection",
        "MID-080": "Network Request Processing Limits",
        "MID-083": "Network Firewall/Access Control List",
        "MID-085": "Export Logs Over the Network Off of Device",
        "TID-105": "Hardware Fault Injection – Control Flow Modification",
        "TID-108": "ROM/NVRAM Data Extraction or Modification",
        "TID-115": "Firmware/Data Extraction via Hardware Interface",
        "TID-119": "Latent Hardware Debug Port Allows Memory/Code Manipulation",
        "TID-201": "Inadequate Bootloader Protection and Verification",
        "TID-204": "Untrusted Programs Can Access Privileged OS Functions",
        "TID-206": "Memory Management Protections Subverted",
        "TID-210": "Device Vulnerabilities Unpatchable",
        "TID-211": "Device Allows Unauthenticated Firmware Installation",
        "TID-212": "FW/SW Update Integrity Shared Secrets Extraction",
        "TID-213": "Faulty FW/SW Update Integrity Verification",
        "TID-214": "Secrets Extracted from Device Root of Trust",
        "TID-216": "Firmware Update Rollbacks Allowed",
        "TID-219": "OS/Kernel Privilege Escalation",
        "TID-221": "Authentication Bypass By Message Replay",
        "TID-305": "Program Executes Dangerous System Calls",
        "TID-310": "Remotely Accessible Unauthenticated Services",
        "TID-311": "Default Credentials",
        "TID-316": "Incorrect Certificate Verification Allows Authentication Bypass",
        "TID-327": "Out of Bounds Memory Access",
        "TID-405": "Network Stack Resource Exhaustion",
        "TID-406": "Unauthorized Messages or Connections",
        "TID-407": "Missing Message Replay Protection",
        "TID-408": "Unencrypted Sensitive Data Communication",
        "TID-411": "Weak/Insecure Cryptographic Protocol",
    ]

    /// The number in an ID such as `MID-026`; nil if it is none.
    private static func number(_ id: String, _ prefix: String) -> Int? {
        let digits = id.dropFirst(prefix.count)
        return id.hasPrefix(prefix) && digits.count == 3 && digits.allSatisfy("0123456789".contains) ? Int(digits) : nil
    }

    /// The threats that a mitigation is good against; none for an ID that there is not.
    public static func threats(mitigatedBy id: String) -> [String] {
        number(id, "MID-").flatMap { relations[$0] }?.map { "TID-\($0)" } ?? []
    }

    public static func name(of id: String) -> String? { names[id] }

    /// Those of the threats that a control should be good against.
    public static func threats(_ threats: [String], mitigatedBy control: Control) -> [String] {
        let good = Set(control.mitigations.flatMap { EMB3D.threats(mitigatedBy: $0) })
        return threats.filter(good.contains)
    }
}
