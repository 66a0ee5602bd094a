import Formats
import Silicon

/// The room that a compressor cools: one thermal mass, a wall towards the kitchen, a heat pump.
///
/// dT/dt = (ambient − T − duty · lift) / τ, in steps of at most ten seconds and with nothing but + − × ÷, so
/// that every machine computes the same bits. The room is the world's, not the device's: it warms while the
/// power is off.
struct ColdRoom {
    /// The app that it belongs to.
    static let app = "compressor"
    static let ambientCelsius = 22.0
    /// How far full power pulls the steady state below ambient.
    static let liftCelsius = 37.0
    static let timeConstantSeconds = 3.0 * 3600
    /// Food is spoilt above this.
    static let limitCelsius = 8.0

    private(set) var celsius = 5.0
    private(set) var duty = 0.0
    /// How long the room has been above the limit, in nanoseconds, power on or off.
    private(set) var tooWarm: Int64 = 0
    private var at: Int64
    private let state: WorldState

    init(path: String, at nanoseconds: Int64) throws(SiliconError) {
        state = try WorldState(path: path, count: 24)
        at = nanoseconds
        if !state.isNew {
            let bytes = Bytes(state.bytes)
            at = Int64(bitPattern: bytes.u64(0) ?? 0)
            celsius = Double(bitPattern: bytes.u64(8) ?? 0)
            tooWarm = Int64(bitPattern: bytes.u64(16) ?? 0)
            advance(to: nanoseconds)  // with the compressor off
        }
    }

    mutating func setDuty(_ duty: Double, at nanoseconds: Int64) {
        advance(to: nanoseconds)
        self.duty = duty
    }

    mutating func advance(to nanoseconds: Int64) {
        var left = Double(max(0, nanoseconds - at)) / 1e9
        while left > 0 {
            let step = min(left, 10)
            let target = ColdRoom.ambientCelsius - duty * ColdRoom.liftCelsius
            celsius += (target - celsius) * (step / ColdRoom.timeConstantSeconds)
            if celsius > ColdRoom.limitCelsius { tooWarm += Int64(step * 1e9) }
            left -= step
        }
        at = max(at, nanoseconds)
        state.bytes = at.littleEndianBytes + celsius.bitPattern.littleEndianBytes + tooWarm.littleEndianBytes
    }
}
