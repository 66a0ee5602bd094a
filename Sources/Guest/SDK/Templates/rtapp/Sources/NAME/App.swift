import RealTimeKit

nonisolated(unsafe) var ticks: UInt32 = 0

@_cdecl("timer_interrupt")
public func timerInterrupt() {
    Timer.acknowledge()
    ticks &+= 1
}

/// Blinks the LED on pin 8 and says so on the debug UART.
@main struct App {
    static func main() {
        let led = OutputPin(8)
        Console.write("NAME\n")
        Timer.start(ticks: 496)  // half a second
        Core.enableInterrupts()
        var shown: UInt32 = 0
        while true {
            Core.waitForInterrupt()
            guard shown != ticks else { continue }
            shown = ticks
            led.set(shown % 2 == 1)
            Console.write(shown % 2 == 1 ? "on\n" : "off\n")
        }
    }
}
