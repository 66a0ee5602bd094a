import Foundation

/// A library that a program has been linked with, as its own words in the program give it away.
struct LinkedLibrary: Equatable {
    var name: String
    var version: String?
    /// The words.
    var evidence: String

    /// What libraries write into whatever they are linked into, up to the version.
    private static let marks: [(name: String, words: String)] = [
        ("glibc", "GNU C Library (Debian GLIBC "), ("glibc", "glibc "), ("openssl", "OpenSSL "), ("wolfssl", "wolfSSL "),
        ("mbedtls", "Mbed TLS "),
        ("mbedtls", "mbed TLS "), ("curl", "libcurl/"), ("zlib", "deflate "), ("busybox", "BusyBox v"), ("lua", "Lua "),
        ("FreeRTOS", "FreeRTOS V"), ("newlib", "newlib-"), ("applibs", "Orrery applibs "), ("libgcc", "libgcc "),
    ]

    static func find(in bytes: [UInt8]) -> [LinkedLibrary] {
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { return [] }
        var found: [LinkedLibrary] = []
        for (name, words) in marks {
            guard !found.contains(where: { $0.name == name }), let version = version(behind: Array(words.utf8), in: bytes) else { continue }
            found.append(LinkedLibrary(name: name, version: version, evidence: words + version))
        }
        return found.sorted { $0.name < $1.name }
    }

    /// Digits, dots and what belongs to a version, right behind the words.
    private static func version(behind words: [UInt8], in bytes: [UInt8]) -> String? {
        let data = Data(bytes)
        var from = data.startIndex
        while let range = data.range(of: Data(words), in: from..<data.endIndex) {
            let text = data[range.upperBound...].prefix(40).prefix { $0 == 0x2E || $0 == 0x2D || $0 == 0x2B || isAlphanumeric($0) }
            if let first = text.first, (0x30...0x39).contains(first), text.contains(0x2E) {
                return String(decoding: text, as: UTF8.self).trimmingCharacters(in: CharacterSet(charactersIn: ".-+"))
            }
            from = range.upperBound
        }
        return nil
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    func component(below reference: String) -> BillOfMaterials.Component {
        var component = BillOfMaterials.Component(.library, name, reference: "\(reference)#\(name)", version: version)
        component.purl = "pkg:generic/\(name.lowercased())\(version.map { "@\($0)" } ?? "")"
        component.properties = [.init(name: "orrery:evidence", value: evidence)]
        return component
    }
}
