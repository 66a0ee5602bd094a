/// Why bytes from another process were refused. A refusal names what was wrong; it never traps.
public enum WireError: Error, Equatable, Sendable {
    case truncated
    case oversize(bytes: Int)
    case unknownKind(UInt8)
    case wrongVersion(UInt8)
    case malformed(String)
    case trailingBytes(Int)
}

/// Appends fixed-width little-endian integers and length-prefixed bytes.
public struct ByteWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func integer<T: FixedWidthInteger>(_ value: T) {
        var rest = value
        for _ in 0..<(T.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest = rest >> 8
        }
    }

    public mutating func block(_ block: [UInt8]) {
        integer(UInt32(block.count))
        bytes += block
    }

    public mutating func string(_ string: String) {
        let utf8 = string.utf8
        integer(UInt32(utf8.count))
        bytes += utf8
    }

    public mutating func list<T>(_ items: [T], _ each: (inout ByteWriter, T) -> Void) {
        integer(UInt32(items.count))
        for item in items { each(&self, item) }
    }
}

/// Reads what ``ByteWriter`` wrote. Every length is checked against what is left before memory is taken.
public struct ByteReader {
    private let bytes: [UInt8]
    private var position: Int

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
    }

    public var remaining: Int { bytes.count - position }

    public mutating func integer<T: FixedWidthInteger>(_: T.Type = T.self) throws(WireError) -> T {
        let width = T.bitWidth / 8
        guard remaining >= width else { throw .truncated }
        var value: T = 0
        for index in 0..<width {
            value |= T(truncatingIfNeeded: UInt64(bytes[position + index]) << (8 * UInt64(index)))
        }
        position += width
        return value
    }

    public mutating func block() throws(WireError) -> [UInt8] {
        let count = Int(try integer(UInt32.self))
        guard count <= remaining else { throw .truncated }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    public mutating func string() throws(WireError) -> String {
        guard let text = String(validating: try block(), as: UTF8.self) else {
            throw .malformed("text is not UTF-8")
        }
        return text
    }

    public mutating func list<T>(_ each: (inout ByteReader) throws(WireError) -> T) throws(WireError) -> [T] {
        let count = Int(try integer(UInt32.self))
        // An element takes at least one byte, so a count above that is a lie: refuse before reserving.
        guard count <= remaining else { throw .truncated }
        var items: [T] = []
        items.reserveCapacity(min(count, 1024))
        for _ in 0..<count { items.append(try each(&self)) }
        return items
    }

    public func end() throws(WireError) {
        guard remaining == 0 else { throw .trailingBytes(remaining) }
    }
}

/// A value with one byte form.
public protocol WireValue: Equatable, Sendable {
    func write(to writer: inout ByteWriter)
    init(from reader: inout ByteReader) throws(WireError)
}

extension Instant: WireValue {
    public func write(to writer: inout ByteWriter) { writer.integer(nanoseconds) }
    public init(from reader: inout ByteReader) throws(WireError) {
        self.init(nanoseconds: try reader.integer())
    }
}
