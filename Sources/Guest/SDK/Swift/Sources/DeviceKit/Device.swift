import CDeviceKit

/// Why a call of the OS failed: a number of errno.h, with its words.
public struct SystemError: Error, Equatable {
    public let code: Int32

    public static let notPermitted = SystemError(code: 1)
    public static let tryAgain = SystemError(code: 11)
    public static let accessDenied = SystemError(code: 13)
    public static let protocolError = SystemError(code: 71)

    public var description: String { unsafe String(cString: strerror(code)) }

    /// What a call gave back, unless that says that it failed.
    static func check(_ result: Int32) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(code: device_error()) }
        return result
    }
}

/// A descriptor that is closed when nobody has it any more.
final class Descriptor {
    let number: Int32
    init(_ number: Int32) throws(SystemError) { self.number = try SystemError.check(number) }
    deinit { close(number) }

    /// All of it, however often that takes.
    func write(_ bytes: [UInt8]) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { unsafe CDeviceKit.write(number, $0.baseAddress! + done, $0.count - done) }
            done += Int(try SystemError.check(Int32(count)))
        }
    }

    /// What there is, up to so many bytes; none at the end.
    func read(upTo limit: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe CDeviceKit.read(number, $0.baseAddress, $0.count) }
        bytes.removeLast(limit - Int(try SystemError.check(Int32(count))))
        return bytes
    }
}

/// The device that the app runs on.
public enum Device {
    /// A line for the debug stream.
    public static func log(_ text: String) { unsafe text.withCString { unsafe device_log($0) } }

    /// Whether the security service has issued a certificate to the device.
    public static var isAuthenticated: Bool {
        var answer = false
        return unsafe Application_IsDeviceAuthReady(&answer) == 0 && answer
    }

    public static var isNetworkReady: Bool {
        var answer = false
        return unsafe Networking_IsNetworkingReady(&answer) == 0 && answer
    }

    public static func sleep(milliseconds: Int) {
        var time = timespec()
        time.tv_sec = .init(milliseconds / 1000)
        time.tv_nsec = .init(milliseconds % 1000 * 1_000_000)
        unsafe nanosleep(&time, nil)
    }

    /// Seconds since 1970, as the device's clock shows them.
    public static var unixSeconds: Int64 { Int64(time(nil)) }
}
