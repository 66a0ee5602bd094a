import ArgumentParser
import CommandSupport
import Foundation
import RunFiles
import Runtime
import TUF
import Wire

/// `orrery tuf` with a director and an image repository.
extension Tuf {
    /// What `--json` prints.
    private struct Verdict: Encodable {
        struct Image: Encodable {
            var target: String
            var ecuIdentifiers: [String]
            /// Bytes.
            var length: Int
            /// Nil if it was not downloaded.
            var path: String?
        }
        /// `done` or `refused`.
        var verdict: String
        var images: [Image]?
        /// `director` or `image_repo`.
        var repository: String?
        var role: String?
        var code: String?
        var clause: String?
        var reason: String?
    }

    /// Where a repository's trusted metadata is kept.
    func folder(_ repository: UptaneRefusal.Repository) -> String { "\(metadataDir)/\(repository.rawValue)" }

    private var countersPath: String { "\(metadataDir)/release-counters.json" }

    func uptane() throws {
        if verb == .download && targetDir == nil { throw ValidationError("--target-dir is missing") }
        do {
            let installs = try verify()
            let images = try installs.map { install in
                Verdict.Image(
                    target: install.target, ecuIdentifiers: install.ecus.map(\.id), length: install.length,
                    path: verb == .download ? try fetch(install) : nil)
            }
            if verb == .download { try keepCounters(installs) }
            if json {
                try say(Verdict(verdict: "done", images: images))
            } else if images.isEmpty {
                print("nothing to do")
            } else {
                for image in images { print("\(image.ecuIdentifiers.joined(separator: ", ")): \(image.path ?? image.target)") }
            }
        } catch let refusal as UptaneRefusal {
            if json {
                try say(
                    Verdict(
                        verdict: "refused", repository: refusal.repository.rawValue, role: refusal.role, code: refusal.code,
                        clause: "Uptane 2.1.0, \(refusal.clause)", reason: "\(refusal)"))
            }
            Console.note("refused: \(refusal)")
            throw ExitCode(1)
        }
    }

    private func say(_ verdict: Verdict) throws { try Console.printJSON(verdict) }

    /// All metadata; what has come to be trusted by then is stored even if it is refused.
    private func verify() throws -> [UptaneClient.Install] {
        let ecus = zip(ecuIdentifier, hardwareId).map { UptaneClient.ECU(id: $0, hardware: $1) }
        var client = try UptaneClient(
            ecus: ecus, director: Tuf.trustedFiles(folder(.director)), images: Tuf.trustedFiles(folder(.images)), counters: try counters())
        defer {
            let changes = client.takeChanges()
            Tuf.store(changes.director, folder(.director))
            Tuf.store(changes.images, folder(.images))
        }
        var step = client.begin(now: now)
        while true {
            switch step {
            case .fetch(let repository, let path, let limit):
                let base = (repository == .director ? directorUrl : imageRepoUrl) ?? ""
                let address = Download.below(base, path)
                switch try Download.ask(address, limitBytes: limit) {
                case .bytes(let bytes): step = client.received(bytes, now: now)
                // The public test vectors' server says 400 where it has no such file.
                case .status(let status) where (400..<500).contains(status): step = client.received(nil, now: now)
                case .status(let status): throw client.failed(.unreachable("\(address): status \(status)"))
                case .failure(let reason): throw client.failed(.unreachable("\(address): \(reason)"))
                case .tooLong: throw client.failed(.metadata(.length(file: path, limitBytes: limit)))
                }
            case .done(let installs): return installs
            case .refused(let refusal): throw refusal
            }
        }
    }

    /// Where the image lies, once it is verified: fetched, or there already.
    private func fetch(_ install: UptaneClient.Install) throws -> String {
        guard let targetDir, let imageRepoUrl else { throw ValidationError("--target-dir is missing") }
        let path = "\(targetDir)/\(TUFClient.quoted(install.target))"
        if let present = FileManager.default.contents(atPath: path), (try? install.check(Array(present))) != nil { return path }
        let address = Download.below(targetBaseUrl ?? Download.below(imageRepoUrl, "targets"), install.location)
        switch try Download.ask(address, limitBytes: install.length) {
        case .bytes(let bytes):
            try install.check(bytes)
            try RunFolder.make(targetDir)
            try RunFolder.write(bytes, path)
            return path
        case .status(let status) where (400..<500).contains(status): throw install.refusal(.missing(file: install.target))
        case .tooLong: throw install.refusal(.length(file: install.target, limitBytes: install.length))
        case .status(let status): throw UptaneRefusal(.images, "targets", .unreachable("\(address): status \(status)"))
        case .failure(let reason): throw UptaneRefusal(.images, "targets", .unreachable("\(address): \(reason)"))
        }
    }

    // MARK: Release counters

    private func counters() throws -> [String: Int64] {
        guard let data = FileManager.default.contents(atPath: countersPath) else { return [:] }
        guard let counters = try? JSONDecoder().decode([String: Int64].self, from: data) else {
            throw RunError("\(countersPath) has no release counters")
        }
        return counters
    }

    private func keepCounters(_ installs: [UptaneClient.Install]) throws {
        var counters = try counters()
        for install in installs {
            guard let counter = install.releaseCounter else { continue }
            for ecu in install.ecus { counters[ecu.id] = counter }
        }
        if !counters.isEmpty { try RunFolder.writeJSON(counters, countersPath) }
    }
}
