// swift-tools-version: 6.2
import PackageDescription

// For Embedded Swift alone: `swift build -c release --triple … --toolset "$(orrery sdk toolset)"`.
let package = Package(
    name: "DeviceKit",
    products: [
        .library(name: "DeviceKit", targets: ["DeviceKit"]),
        .library(name: "RealTimeKit", targets: ["RealTimeKit"]),
    ],
    targets: [
        .target(name: "CDeviceKit"),
        .target(name: "DeviceKit", dependencies: ["CDeviceKit"]),
        .target(name: "CRealTime"),
        .target(name: "RealTimeKit", dependencies: ["CRealTime"]),
    ])
