extension Report {
    /// One line for each device (RFC 4180): what a spreadsheet wants.
    public func csv(devices: [Plan.Device]) -> String {
        var lines = ["device,product,network,availability_ratio,room_max_celsius,room_too_warm_seconds"]
        for device in devices {
            let room = metrics.rooms[device.name]
            lines.append(
                [
                    device.name, device.product, device.network, metrics.availability[device.name].map { "\($0)" } ?? "",
                    room.map { "\(Double($0.maximumMillicelsius) / 1000)" } ?? "", room.map { "\($0.tooWarmSeconds)" } ?? "",
                ].map(field).joined(separator: ","))
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    private func field(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }
}
