// swift-tools-version: 6.2
import PackageDescription

// Where the SDK is: as it was when this app was made, or where ORRERY_SDK says.
let sdk = Context.environment["ORRERY_SDK"] ?? "SDK_FOLDER"

let package = Package(
    name: "NAME",
    dependencies: [.package(name: "DeviceKit", path: "\(sdk)/Swift")],
    targets: [.executableTarget(name: "NAME", dependencies: [.product(name: "DeviceKit", package: "DeviceKit")])])
