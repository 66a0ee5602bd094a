import CRealTime
import _Volatile

/// A 32-bit register of the real-time core (mt3620-silicon §2).
public struct Register {
    private let register: VolatileMappedRegister<UInt32>
    public init(_ address: UInt) { register = unsafe VolatileMappedRegister(unsafeBitPattern: address) }
    public var value: UInt32 {
        get { register.load() }
        nonmutating set { register.store(newValue) }
    }
}

/// GPT0, repeating (§2.4). Ticks are 33/32768 s.
public enum Timer {
    /// Calls `timer_interrupt` again and again.
    public static func start(ticks: UInt32) {
        Register(0x2103_0014).value = ticks
        Register(0x2103_0004).value = 1
        Register(0x2103_0010).value = 0b1011
        Register(0xE000_E100).value = 1 << 1
    }
    public static func acknowledge() { Register(0x2103_0000).value = 1 }
}

/// The debug UART (§2.5).
public enum Console {
    public static func write(_ text: StaticString) {
        text.withUTF8Buffer { for byte in $0 { put(byte) } }
    }

    public static func write(_ number: Int32) {
        if number < 0 { put(UInt8(ascii: "-")) }
        var rest = number.magnitude
        var scale: UInt32 = 1
        while rest / scale >= 10 { scale *= 10 }
        while scale > 0 {
            put(UInt8(truncatingIfNeeded: 48 + rest / scale))
            rest %= scale
            scale /= 10
        }
    }

    private static func put(_ byte: UInt8) {
        while Register(0x2104_0014).value & 0x20 == 0 {}
        Register(0x2104_0000).value = UInt32(byte)
    }
}

/// One-shot samples of the ADC (§2.9).
public enum Converter {
    /// 0…4095.
    public static func sample(channel: UInt32) -> UInt32 {
        Register(0x3800_0100).value = 0
        Register(0x3800_0100).value = 1 << (16 + channel) | 1
        while Register(0x3800_0214).value & 1 == 0 {}
        return Register(0x3800_0200).value >> 4 & 0xFFF
    }
}

/// Channel 0 of PWM controller 0, from the 2 MHz clock (§2.8).
public enum PulseWidth {
    public static func set(percent: UInt32) {
        Register(0x3801_1000).value = 0xE400 | 1 << 1
        Register(0x3801_1104).value = percent * 10 | (1000 - percent * 10) << 16
        Register(0x3801_1100).value = 0b10011
    }
}

/// A pin as an output (§2.6): four pins to a block of registers.
public struct OutputPin {
    private let block: UInt
    private let bit: UInt32

    public init(_ number: UInt) {
        block = 0x3801_0000 + number / 4 * 0x1_0000
        bit = 1 << UInt32(number % 4)
        Register(block + 0x24).value = bit
    }

    public func set(_ isHigh: Bool) { Register(block + (isHigh ? 0x14 : 0x18)).value = bit }
}

public enum Core {
    public static func enableInterrupts() { enable_interrupts() }
    public static func waitForInterrupt() { wait_for_interrupt() }
}
