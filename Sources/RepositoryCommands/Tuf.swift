import ArgumentParser
import CommandSupport
import Foundation
import FoundationNetworking
import RunFiles
import Runtime
import TUF

/// The device's update client over plain HTTP, with the arguments of the TUF conformance suite; with two repositories, as a
/// primary of Uptane's.
struct Tuf: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tuf", abstract: "The device's TUF client over plain HTTP, for other people's tests and repositories.",
        discussion: """
            orrery tuf --metadata-dir DIR init ROOT
            orrery tuf --metadata-dir DIR --metadata-url URL refresh
            orrery tuf --metadata-dir DIR --metadata-url URL --target-name PATH --target-base-url URL --target-dir DIR download
            Several --target-name are downloaded in their order, under one refresh, until one of them is refused.

            Uptane: a director says what is to be installed, an image repository that it is authentic.
            orrery tuf --metadata-dir DIR init DIRECTOR_ROOT IMAGE_REPO_ROOT
            orrery tuf --metadata-dir DIR --director-url URL --image-repo-url URL --ecu-identifier ID --hardware-id ID \
            --target-dir DIR download
            refresh verifies without downloading. --ecu-identifier and --hardware-id may be repeated, in pairs: the primary and \
            those behind it. --target-base-url is IMAGE_REPO_URL/targets unless it is given.

            Ends with 0, also if there is nothing to do, or with 1 and the reason on standard error; with --json also as JSON \
            on standard output (Uptane only).
            """)

    enum Verb: String, ExpressibleByArgument, CaseIterable { case `init`, refresh, download }

    @Option(help: "Folder of trusted metadata.") var metadataDir: String
    @Option(help: "Where the repository's metadata lies.") var metadataUrl: String?
    @Option(help: "A target's path in the repository; may be repeated.") var targetName: [String] = []
    @Option(help: "Where the repository's targets lie.") var targetBaseUrl: String?
    @Option(help: "Folder for downloads.") var targetDir: String?
    @Option(help: "Uptane: where the director's metadata lies.") var directorUrl: String?
    @Option(help: "Uptane: where the image repository's metadata lies.") var imageRepoUrl: String?
    @Option(help: "Uptane: an ECU of this device, such as its serial number.") var ecuIdentifier: [String] = []
    @Option(help: "Uptane: the model of the ECU of the same place.") var hardwareId: [String] = []
    @Flag(help: "Uptane: the verdict as JSON.") var json = false
    @Argument(help: "init, refresh or download.") var verb: Verb
    @Argument(help: "With init: the file of the root to trust; for Uptane two, the director's first.") var root: [String] = []

    func validate() throws {
        if (verb == .`init`) == root.isEmpty { throw ValidationError("init takes one or two roots, and nothing else does") }
        if root.count > 2 { throw ValidationError("init takes one root, or two for Uptane") }
        guard verb != .`init` else { return }
        guard directorUrl != nil || imageRepoUrl != nil else {
            guard ecuIdentifier.isEmpty, hardwareId.isEmpty, !json else {
                throw ValidationError("--director-url and --image-repo-url are missing")
            }
            return
        }
        guard directorUrl != nil, imageRepoUrl != nil, !ecuIdentifier.isEmpty, ecuIdentifier.count == hardwareId.count else {
            throw ValidationError("Uptane needs --director-url, --image-repo-url and as many --hardware-id as --ecu-identifier")
        }
        guard Set(ecuIdentifier).count == ecuIdentifier.count else { throw ValidationError("two --ecu-identifier are the same") }
        guard metadataUrl == nil, targetName.isEmpty else {
            throw ValidationError("with a director there is no --metadata-url, and no --target-name: it says what to download")
        }
    }

    func run() throws {
        do {
            switch verb {
            case .`init`: try initialize()
            case .refresh where directorUrl != nil: try uptane()
            case .download where directorUrl != nil: try uptane()
            case .refresh: _ = try refresh()
            case .download: try download()
            }
        } catch let refusal as TUFRefusal {
            Console.note("refused: \(refusal)")
            throw ExitCode(1)
        } catch let error as RunError {
            Console.note("\(error)")
            throw ExitCode(1)
        }
    }

    private func initialize() throws {
        let folders = root.count == 1 ? [metadataDir] : UptaneRefusal.Repository.allCases.map(folder)
        for (path, folder) in zip(root, folders) {
            guard let bytes = FileManager.default.contents(atPath: path) else { throw RunError("cannot read the root \(path)") }
            // Signed by itself, whether it is still good or not: what is newer decides that (5.3.10). Uptane's come from a factory, and
            // are looked at when they are used.
            if root.count == 1 { _ = try TUFClient(files: ["root.json": Array(bytes)]) }
            try RunFolder.make(folder)
            try RunFolder.write(Array(bytes), folder + "/root.json")
        }
    }

    var now: Int64 { Int64(Date().timeIntervalSince1970) }

    /// All four top-level roles.
    private func refresh() throws -> TUFClient {
        var client = try TUFClient(files: Tuf.trustedFiles(metadataDir))
        try follow(client.begin(), &client)
        return client
    }

    /// Fetches what the client asks for, until it is done; what it has come to trust by then is stored even if it refuses.
    private func follow(_ first: TUFClient.Step, _ client: inout TUFClient) throws {
        guard let base = metadataUrl else { throw ValidationError("--metadata-url is missing") }
        defer { Tuf.store(client.takeChanges(), metadataDir) }
        var step = first
        while true {
            switch step {
            case .fetch(let path, let limit):
                step = client.received(try Download.get(Download.below(base, path), limitBytes: limit), now: now)
            case .done: return
            case .refused(let refusal): throw refusal
            }
        }
    }

    static func trustedFiles(_ folder: String) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.hasSuffix(".json") {
            let role = name.removingPercentEncoding ?? name
            files[role] = FileManager.default.contents(atPath: "\(folder)/\(name)").map(Array.init)
        }
        return files
    }

    static func store(_ changes: [(name: String, bytes: [UInt8]?)], _ folder: String) {
        for (name, bytes) in changes {
            let path = "\(folder)/\(TUFClient.quoted(name))"
            if let bytes {
                try? RunFolder.write(bytes, path)
            } else {
                try? FileManager.default.removeItem(atPath: path)
            }
        }
    }

    private func download() throws {
        guard !targetName.isEmpty, let targetBaseUrl, let targetDir else {
            throw ValidationError("--target-name, --target-base-url and --target-dir are needed")
        }
        var client = try refresh()
        for name in targetName {
            try follow(client.find(name, now: now), &client)
            guard let target = client.found else { throw TUFRefusal.unknownTarget(name) }
            let path = "\(targetDir)/\(TUFClient.quoted(name))"
            if let present = FileManager.default.contents(atPath: path), (try? target.check(Array(present), file: name)) != nil { continue }
            let address = Download.below(targetBaseUrl, client.location(of: name, target))
            guard let bytes = try Download.get(address, limitBytes: target.length) else { throw TUFRefusal.missing(file: name) }
            try target.check(bytes, file: name)
            try RunFolder.make(targetDir)
            try RunFolder.write(bytes, path)
        }
    }
}

/// One file over HTTP, cut off where it grows beyond what was agreed.
enum Download {
    enum Answer {
        case bytes([UInt8])
        /// Not 200.
        case status(Int)
        case tooLong
        /// Nobody answered, or not to the end.
        case failure(String)
    }

    /// A file's address below a base, which may end in a slash or not, or have a query (RFC 3986 section 3.4).
    static func below(_ base: String, _ path: String) -> String {
        let place = base.prefix { $0 != "?" && $0 != "#" }
        let query = base.dropFirst(place.count).prefix { $0 != "#" }
        return place + (place.hasSuffix("/") ? "" : "/") + path + query
    }

    /// Nil for 403 and 404: the repository has no such file.
    static func get(_ address: String, limitBytes: Int) throws -> [UInt8]? {
        switch try ask(address, limitBytes: limitBytes) {
        case .bytes(let bytes): return bytes
        case .status(403), .status(404): return nil
        case .tooLong: throw TUFRefusal.length(file: address, limitBytes: limitBytes)
        case .status(let status): throw RunError("\(address): status \(status)")
        case .failure(let reason): throw RunError("\(address): \(reason)")
        }
    }

    private static let shortestLimitSeconds = 60
    private static let slowestBytesPerSecond = 4096

    static func ask(_ address: String, limitBytes: Int) throws -> Answer {
        // Schemes are the same in any case (section 3.1), and Foundation knows them in one.
        let scheme = address.prefix { $0 != ":" }
        guard let url = URL(string: scheme.lowercased() + address.dropFirst(scheme.count)) else { throw RunError("'\(address)' is no URL") }
        let receiver = Receiver(limitBytes: limitBytes)
        let session = URLSession(configuration: .ephemeral, delegate: receiver, delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        var request = URLRequest(url: url, timeoutInterval: 30)
        request.setValue("identity", forHTTPHeaderField: "accept-encoding")
        session.dataTask(with: request).resume()
        // Slow retrieval (section 1.5.2): whoever sends a byte now and then holds nobody for ever.
        let limitSeconds = shortestLimitSeconds + limitBytes / slowestBytesPerSecond
        guard receiver.isOver.wait(timeout: .now() + .seconds(limitSeconds)) == .success else {
            return .failure("not all there after \(limitSeconds) s")
        }
        if receiver.isTooLong { return .tooLong }
        if let failure = receiver.failure { return .failure(failure) }
        return receiver.status == 200 ? .bytes(receiver.bytes) : .status(receiver.status)
    }

    /// The session calls it on one queue, and `isOver` orders that before whoever waits.
    private final class Receiver: NSObject, URLSessionDataDelegate, @unchecked Sendable {
        let isOver = DispatchSemaphore(value: 0)
        private let limitBytes: Int
        private(set) var bytes: [UInt8] = []
        private(set) var status = 0
        private(set) var isTooLong = false
        private(set) var failure: String?

        init(limitBytes: Int) { self.limitBytes = limitBytes }

        func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
            // What comes with another status is not the file.
            guard !isTooLong, (dataTask.response as? HTTPURLResponse)?.statusCode == 200 else { return }
            bytes += data
            if bytes.count > limitBytes {
                isTooLong = true
                dataTask.cancel()
            }
        }

        private static func words(for code: URLError.Code?) -> String {
            switch code {
            case .timedOut: "no answer in 30 s"
            case .cannotConnectToHost: "nobody answers there"
            case .cannotFindHost, .dnsLookupFailed: "no such host"
            case .networkConnectionLost: "the connection ended too early"
            case .badURL, .unsupportedURL: "no URL of HTTP's"
            case .badServerResponse, .cannotParseResponse: "the answer is not HTTP"
            default: "it cannot be had\(code.map { " (URLError \($0.rawValue))" } ?? "")"
            }
        }

        func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
            status = (task.response as? HTTPURLResponse)?.statusCode ?? 0
            failure = error.map { Receiver.words(for: ($0 as? URLError)?.code) }
            isOver.signal()
        }
    }
}
