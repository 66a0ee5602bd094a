/// Keeps a cold room at 4 °C: every ten seconds reads the thermometer, sets the compressor, and every ten
/// minutes says on the console how things are.

nonisolated(unsafe) var ticks: UInt32 = 0

@_cdecl("timer_interrupt")
public func timerInterrupt() {
    Timer.acknowledge()
    ticks &+= 1
}

/// The thermometer gives 0…4095 for −20…+60 °C.
func millicelsius(_ sample: UInt32) -> Int32 { Int32(sample) * 80_000 / 4095 - 20_000 }

/// Off at 3 °C, full at 5 °C, in between in proportion.
func dutyPercent(_ temperature: Int32) -> UInt32 {
    UInt32(max(0, min(100, (temperature - 3000) / 20)))
}

func control() -> (temperature: Int32, duty: UInt32) {
    let temperature = millicelsius(Converter.sample(channel: 0))
    let duty = dutyPercent(temperature)
    PulseWidth.set(percent: duty)
    return (temperature, duty)
}

@main struct Compressor {
    static func main() {
        Console.write("compressor 1.0\n")
        Timer.start(ticks: 9930)  // 10 s
        Core.enableInterrupts()
        var handled: UInt32 = 0
        _ = control()
        while true {
            Core.waitForInterrupt()
            while handled != ticks {
                handled &+= 1
                let (temperature, duty) = control()
                if handled % 60 == 0 {
                    Console.write("room ")
                    Console.write(temperature)
                    Console.write(" mC, compressor ")
                    Console.write(Int32(duty))
                    Console.write(" %\n")
                }
            }
        }
    }
}
