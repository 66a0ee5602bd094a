import CDeviceKit

/// A pin that the app drives; its number must be in the manifest.
public final class OutputPin {
    private let descriptor: Descriptor

    public init(_ number: Int32, isHigh: Bool = false) throws(SystemError) {
        let mode = GPIO_OutputMode_Type(GPIO_OutputMode_PushPull.rawValue)
        descriptor = try Descriptor(GPIO_OpenAsOutput(number, mode, isHigh ? 1 : 0))
    }

    public func set(_ isHigh: Bool) throws(SystemError) { _ = try SystemError.check(GPIO_SetValue(descriptor.number, isHigh ? 1 : 0)) }
}

/// A pin that the app reads.
public final class InputPin {
    private let descriptor: Descriptor

    public init(_ number: Int32) throws(SystemError) { descriptor = try Descriptor(GPIO_OpenAsInput(number)) }

    public var isHigh: Bool {
        get throws(SystemError) {
            var value: GPIO_Value_Type = 0
            _ = try SystemError.check(unsafe GPIO_GetValue(descriptor.number, &value))
            return value != 0
        }
    }
}
