import Formats
import SecureChannel

/// What a commodity Linux board leaves its vendor with: boot loader, kernel, and a root file system with BusyBox. Its images are signed
/// as all are, and nobody on the board looks.
extension FlashBuilder {
    /// The system's own programs and files, by path.
    public struct Userland {
        let files: [String: [UInt8]]

        /// - Parameters:
        ///   - busybox: Debian's, as an ELF program for ARM.
        ///   - login: User and password of the console, such as `root:xc3511`.
        public init(busybox: [UInt8], login: String) {
            let scripts = ["sbin/init": Userland.initScript, "sbin/console": Userland.console, "etc/console": login + "\n"]
            files = scripts.mapValues { Array($0.utf8) }.merging([
                "bin/busybox": busybox,
                "etc/crontabs/root": Array("0 * * * * echo \"uptime $(cut -d. -f1 /proc/uptime)\" > /dev/console\n".utf8),
            ]) { $1 }
        }

        private static let initScript = """
            #!/mnt/app/bin/busybox sh
            echo "BusyBox userland, $(cat /mnt/app/etc/os-release)"
            busybox crond -f -l 8 -c /mnt/app/etc/crontabs -L /dev/null &
            exec busybox nc -ll -p 23 -e /mnt/app/sbin/console

            """

        /// What the vendor's engineers used, and nobody took out.
        private static let console = """
            #!/mnt/app/bin/busybox sh
            while :; do
                printf 'login: '; read -r user || exit
                printf 'Password: '; read -r password || exit
                if [ "$user:$password" = "$(cat /mnt/app/etc/console)" ]; then exec busybox sh -i 2>&1; fi
                echo 'Login incorrect'
            done

            """

        func image(version: String) -> [UInt8] {
            CompressedROM.pack(files.merging(["etc/os-release": Array("VERSION_ID=\(version)\n".utf8)]) { $1 }, name: "userland")
        }
    }

    private static let linuxSizes: [(type: ImageType, bytes: Int)] = [(.loader, 64 << 10), (.kernel, 1 << 20)]
    /// In the components' names, so that no other hardware has the same.
    static let linuxBoard = "linux board "

    func buildLinux(apps: [AppSource], trust: Trust, userland: Userland) throws -> Product {
        let (os, app) = (osKeys[0], appKeys[0])
        var packages = FlashBuilder.linuxSizes.map { type, size in
            (type, sign(type, type.name, linuxCode(type, osVersion, bytes: size), os, board: FlashBuilder.linuxBoard))
        }
        packages.append(
            (.rootFileSystem, sign(.rootFileSystem, osVersion, userland.image(version: osVersion), os, board: FlashBuilder.linuxBoard)))
        packages.append((.updateCertificateStore, try trustStore(trust, os, isLinux: true)))
        packages.append((.policy, policyImage(trust, os, isLinux: true)))
        for source in apps { packages.append((.applications, linuxPackage(source, version: 1, securityVersion: 1, key: app))) }
        return Product(
            flash: try place(packages), measurements: packages.map { (UInt32($0.0.rawValue), sha256($0.1)) })
    }

    /// A new OS: kernel and root file system, signed for development.
    /// - Parameter defect: What is wrong with its kernel.
    public func linuxOS(version: String, securityVersion: UInt32, userland: Userland, defect: SystemDefect? = nil) -> [[UInt8]] {
        let kernel = linuxCode(.kernel, version, bytes: 1 << 20, defect)
        return [(ImageType.kernel, ImageType.kernel.name, kernel), (.rootFileSystem, version, userland.image(version: version))].map {
            sign($0, $1, $2, developmentKey, version: securityVersion, board: FlashBuilder.linuxBoard)
        }
    }

    /// A new version of an app, signed for development.
    public func linuxApp(_ source: AppSource, version: UInt32, securityVersion: UInt32) -> [UInt8] {
        linuxPackage(source, version: version, securityVersion: securityVersion, key: developmentKey)
    }

    /// The program, and no manifest.
    private func linuxPackage(_ app: AppSource, version: UInt32, securityVersion: UInt32, key: FactoryKey) -> [UInt8] {
        let files = app.resources.merging(["bin/app": app.program, "version": Array("\(version)\n".utf8)]) { _, own in own }
        return sign(
            .applications, app.name, CompressedROM.pack(files, name: app.name), key, version: securityVersion,
            board: FlashBuilder.linuxBoard)
    }

    /// The kernel says which it is.
    private func linuxCode(_ type: ImageType, _ version: String, bytes: Int, _ defect: SystemDefect? = nil) -> [UInt8] {
        code(type == .kernel ? LinuxKernel.name : type.name, version, bytes: bytes, defect)
    }
}
