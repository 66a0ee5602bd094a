/// An NTC of 10 kΩ at 25 °C (B = 3950 K) between the pin and ground, with 10 kΩ to the reference of 2.5 V.
final class Thermistor: Attachment {
    private let celsius: Double

    init(_ words: [String]) throws(AttachmentError) {
        guard words.count <= 1 else { throw AttachmentError("thermistor: expected one temperature") }
        guard let celsius = Double(words.first ?? "25"), (-60...200).contains(celsius) else {
            throw AttachmentError("thermistor: expected °C from -60 to 200")
        }
        self.celsius = celsius
    }

    func sample(at now: Int64) -> UInt32 {
        // ln R/R25 = B (1/T − 1/T25), by a series for the exponential: no library whose last bit differs by machine.
        let exponent = 3950 * (1 / (celsius + 273.15) - 1 / 298.15)
        let ratio = Thermistor.exponential(exponent)
        return UInt32(4095 * ratio / (1 + ratio))
    }

    static func exponential(_ x: Double) -> Double {
        // e^x = (e^(x/64))^64
        let small = x / 64
        var (term, sum) = (1.0, 1.0)
        for n in 1...12 {
            term *= small / Double(n)
            sum += term
        }
        for _ in 0..<6 { sum *= sum }
        return sum
    }
}

/// A fixed voltage.
final class VoltageSource: Attachment {
    private let volts: Double

    init(_ words: [String]) throws(AttachmentError) {
        guard words.count == 1, let volts = Double(words[0]), (0...2.5).contains(volts) else {
            throw AttachmentError("voltage: expected volts from 0 to 2.5")
        }
        self.volts = volts
    }

    func sample(at now: Int64) -> UInt32 { UInt32((volts / 2.5 * 4095).rounded()) }
}
