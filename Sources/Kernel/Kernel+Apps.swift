public import Formats
import Silicon

/// An app as its image package has it.
public struct AppImage: Sendable {
    public var files: [String: [UInt8]]
    /// Device nodes among the files, which a sound OS does not take.
    public var devices: [String: ImageDevice]
    public var manifest: AppManifest
    public init(files: [String: [UInt8]], devices: [String: ImageDevice] = [:], manifest: AppManifest) {
        self.files = files
        self.devices = devices
        self.manifest = manifest
    }
}

extension Kernel {
    private static let imageFolder = "/mnt/app"
    /// What a package has there is also where the loader of a dynamic program looks for it.
    private static let libraryFolders: Set = ["lib", "usr"]
    private static let configFolder = "/mnt/config"

    /// What an app may have of pages that it has touched: 256 KiB in the original (APP-5).
    public static let appMemoryBytes = 256 << 10
    /// Between apps of a device, in bytes.
    public static let longestMessage = ComponentSocket.longest

    /// Starts an app within what its manifest lists.
    /// - Parameters:
    ///   - mutable: What its mutable file holds from before; nil for none.
    ///   - weaknesses: Published ones that the OS still has.
    ///   - isIsolated: Whether the manifest limits what it may use.
    ///   - isOrdinary: Whether it is a program of an ordinary Linux system: the superuser's, which may start others, with its files
    ///     where they are in the package.
    ///   - runsData: Whether pages that can be written can be run.
    ///   - environment: `NAME=VALUE`, beside what an app has or instead of it.
    public func start(
        _ app: AppImage, mutable: [UInt8]?, memoryBytes: Int = Kernel.appMemoryBytes, weaknesses: Set<Weakness> = [],
        isIsolated: Bool = true, isOrdinary: Bool = false, runsData: Bool = false, environment: [String] = []
    ) throws(StartFailure) {
        var policy = Policy()
        policy.weaknesses = weaknesses
        policy.runsData = runsData
        policy.mayFork = isOrdinary
        policy.user = isOrdinary ? 0 : user(of: app.manifest.componentID, weaknesses: weaknesses)
        policy.memoryBytes = memoryBytes
        let grants = Grants(app.manifest)
        policy.grants = isIsolated ? grants : nil
        for (path, bytes) in app.files.sorted(by: { $0.key < $1.key }) {
            let place = "\(Kernel.imageFolder)/\(path)"
            let node = tree.place(.file(bytes), at: place, mode: isOrdinary || "/" + path == app.manifest.entryPoint ? 0o555 : 0o444)
            node.isReadOnly = true
            guard let folder = path.split(separator: "/").first, isOrdinary || Kernel.libraryFolders.contains(String(folder)) else {
                continue
            }
            if (try? tree.find("/" + path, from: (tree.root, "/"), for: nil))?.node == nil {
                tree.place(.link(place), at: "/" + path, mode: 0o777)
            }
        }
        if grants.tenant != nil { try? tree.find(Kernel.certificatePath, from: (tree.root, "/"), for: nil).node?.mode = 0o444 }
        do throws(Errno) {
            guard app.devices.isEmpty || weaknesses.contains(.imageDevices) else { throw .EPERM }
            try placeImageDevices(app.devices, under: Kernel.imageFolder)
        } catch { throw StartFailure(error: error, obstacle: nil) }
        let config = tree.directory(Kernel.configFolder)
        (config.owner, config.group) = (policy.user, policy.user)
        config.mode = grants.mutableBytes > 0 ? 0o700 : 0
        config.limitBytes = weaknesses.contains(.storageQuota) ? nil : grants.mutableBytes
        if let mutable, grants.mutableBytes > 0 {
            let node = tree.place(.file(mutable), at: "\(Kernel.configFolder)/mutable", mode: 0o600)
            (node.owner, node.group, node.limitBytes) = (policy.user, policy.user, grants.mutableBytes)
        }
        let program = Kernel.imageFolder + app.manifest.entryPoint
        try start(
            program, arguments: [program] + app.manifest.arguments, environment: Kernel.environment(["HOME=/", "TZ=UTC0"], environment),
            policy: policy)
    }

    /// What there is, and what somebody wants instead of it or beside it.
    public static func environment(_ given: [String], _ own: [String]) -> [String] {
        let names = Set(own.map { $0.prefix { $0 != "=" } })
        return given.filter { !names.contains($0.prefix { $0 != "=" }) } + own
    }

    /// What the app's mutable file holds now.
    public var mutableFile: [UInt8]? { mutableNode?.bytes }
    private var mutableNode: Node? { (try? tree.find("\(Kernel.configFolder)/mutable", from: (tree.root, "/"), for: nil))?.node }
    /// Whether what becomes of a file is to be kept.
    func mustKeep(_ node: Node?) -> Bool { onSync != nil && node != nil && node === mutableNode }

    /// Pages of their own that all programs have touched.
    public var usedKiB: Int { processes.values.reduce(0) { $1.status == nil ? $0 + $1.core.memory.touchedBytes : $0 } >> 10 }

    /// Asks the program to end (SIGTERM), or makes it.
    public func terminate(by signal: Int) {
        for process in processes.values.sorted(by: { $0.id < $1.id }) { send(SignalInformation(number: signal), to: process) }
    }
}
