import DeviceKit

/// Waits for the device's certificate, and every minute tells the security service how often it has done so.
@main struct App {
    static let service = "service.acme.internal"

    static func main() {
        while !Device.isAuthenticated { Device.sleep(milliseconds: 1000) }
        var count = 0
        while true {
            count += 1
            do throws(SystemError) {
                let connection = try Connection(to: service, port: 8443)
                let status = try connection.post("/messages/NAME", Array("\(count)".utf8), host: service)
                Device.log("message \(count): status \(status)")
            } catch {
                Device.log("message \(count): \(error.description)")
            }
            Device.sleep(milliseconds: 60_000)
        }
    }
}
