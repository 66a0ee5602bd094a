/// A device node in an image: what it leads to.
public struct ImageDevice: Equatable, Sendable {
    /// A character device, for everybody.
    static let mode: UInt16 = 0o020_666
    public var major: UInt8
    public var minor: UInt8
    public init(major: UInt8, minor: UInt8) { (self.major, self.minor) = (major, minor) }
}

/// The file system inside an image: read-only, cramfs's layout with every file stored plain so that it can
/// run in place (the original calls its variant ASXipFS; OS-13, mt3620-silicon §5).
///
/// Superblock of 76 bytes; inodes of 12 bytes {mode u16, uid u16, size u24, gid u8, name length/4 u6,
/// offset/4 u26}; names follow their inode, padded to four bytes.
public enum CompressedROM {
    public enum Failure: Error, Equatable, Sendable {
        case badMagic
        case truncated
        case notPlain(String)
        case specialFile(String)
        case tooDeep
        /// Directories share each other's entries, so that little data would be a great many files.
        case tooManyEntries
        /// Files share their content, so that a small image would be a great deal of data.
        case tooManyBytes
    }

    private static let mostEntries = 4096
    private static let mostBytes = 64 << 20

    /// What reading an image may still come to.
    private struct Budget {
        var entries = mostEntries
        var bytes = mostBytes
    }

    static let magic: UInt32 = 0x28CD_3D45
    private static let directory: UInt16 = 0o040_755
    /// A regular file with the sticky bit: uncompressed, on a boundary.
    private static let plainFile: UInt16 = 0o101_555

    /// - Parameters:
    ///   - files: By path, such as `bin/app`.
    ///   - devices: Device nodes, which a sound OS refuses.
    public static func pack(_ files: [String: [UInt8]], devices: [String: ImageDevice] = [:], name: String) -> [UInt8] {
        var tree = Node.directory([:])
        for (path, bytes) in files.sorted(by: { $0.key < $1.key }) {
            tree.insert(path.split(separator: "/").map(String.init)[...], .file(bytes))
        }
        for (path, device) in devices.sorted(by: { $0.key < $1.key }) {
            tree.insert(path.split(separator: "/").map(String.init)[...], .device(device))
        }
        var image = [UInt8](repeating: 0, count: 76)
        let root = write(tree, into: &image)
        let head: [UInt8] =
            magic.littleEndianBytes + UInt32(image.count).littleEndianBytes + UInt32(0x3).littleEndianBytes
            + UInt32(0).littleEndianBytes + Array("Compressed ROMFS".utf8)
            + [UInt8](repeating: 0, count: 12) + UInt32(files.count).littleEndianBytes + .padded(name, to: 16)
            + inode(root, nameWords: 0)
        image.replaceSubrange(0..<head.count, with: head)
        return image
    }

    public static func unpack(_ bytes: [UInt8]) throws(Failure) -> [String: [UInt8]] { try contents(bytes, takesDevices: false).files }

    /// What is in an image.
    public struct Contents: Equatable, Sendable {
        public var files: [String: [UInt8]] = [:]
        public var devices: [String: ImageDevice] = [:]
    }

    /// - Parameter takesDevices: As the original's OS once did.
    public static func contents(_ bytes: [UInt8], takesDevices: Bool) throws(Failure) -> Contents {
        let image = Bytes(bytes)
        guard image.u32(0) == magic else { throw .badMagic }
        var contents = Contents()
        var budget = Budget()
        try walk(image, inodeAt: 64, path: "", depth: 0, takesDevices, &contents, &budget)
        return contents
    }

    // MARK: Writing

    private enum Node {
        case file([UInt8])
        case directory([String: Node])
        case device(ImageDevice)

        mutating func insert(_ path: ArraySlice<String>, _ node: Node) {
            guard case .directory(var entries) = self, let first = path.first else { return }
            if path.count == 1 {
                entries[first] = node
            } else {
                var child = entries[first] ?? .directory([:])
                child.insert(path.dropFirst(), node)
                entries[first] = child
            }
            self = .directory(entries)
        }
    }

    private struct Placed {
        var mode: UInt16
        var size: Int
        var offset: Int
    }

    private static func inode(_ placed: Placed, nameWords: Int) -> [UInt8] {
        placed.mode.littleEndianBytes + [0, 0]
            + UInt32(placed.size & 0xFF_FFFF).littleEndianBytes
            + UInt32(nameWords & 0x3F | (placed.offset / 4) << 6).littleEndianBytes
    }

    private static func write(_ node: Node, into image: inout [UInt8]) -> Placed {
        switch node {
        case .device(let device): return Placed(mode: ImageDevice.mode, size: Int(device.major) << 8 | Int(device.minor), offset: 0)
        case .file(let bytes):
            // The vector table of a real-time app wants 32 bytes of alignment (HW-8).
            while image.count % 32 != 0 { image.append(0) }
            let offset = image.count
            image += bytes
            while image.count % 4 != 0 { image.append(0) }
            return Placed(mode: plainFile, size: bytes.count, offset: offset)
        case .directory(let entries):
            let sorted = entries.sorted { $0.key < $1.key }
            let names = sorted.map { entry in
                [UInt8].padded(entry.key, to: (entry.key.utf8.count + 3) / 4 * 4)
            }
            let size = names.reduce(0) { $0 + 12 + $1.count }
            let offset = image.count
            image += [UInt8](repeating: 0, count: size)
            var cursor = offset
            for (entry, name) in zip(sorted, names) {
                let placed = write(entry.value, into: &image)
                let record = inode(placed, nameWords: name.count / 4) + name
                image.replaceSubrange(cursor..<cursor + record.count, with: record)
                cursor += record.count
            }
            return Placed(mode: directory, size: size, offset: offset)
        }
    }

    // MARK: Reading

    private static func walk(
        _ image: Bytes, inodeAt position: Int, path: String, depth: Int, _ takesDevices: Bool, _ contents: inout Contents,
        _ budget: inout Budget
    ) throws(Failure) {
        guard depth < 8 else { throw .tooDeep }
        budget.entries -= 1
        guard budget.entries >= 0 else { throw .tooManyEntries }
        guard let mode = image.u16(position), let sizeWord = image.u32(position + 4),
            let place = image.u32(position + 8)
        else { throw .truncated }
        let (size, offset) = (Int(sizeWord & 0xFF_FFFF), Int(place >> 6) * 4)
        switch mode & 0o170_000 {
        case 0o100_000:
            // A compressed file has no sticky bit; ours never are.
            guard mode & 0o001_000 != 0 else { throw .notPlain(path) }
            budget.bytes -= size
            guard budget.bytes >= 0 else { throw .tooManyBytes }
            guard let bytes = image.block(offset, size) else { throw .truncated }
            contents.files[path] = bytes
        case 0o040_000:
            var cursor = offset
            while cursor < offset + size {
                guard let word = image.u32(cursor + 8) else { throw .truncated }
                let nameBytes = Int(word & 0x3F) * 4
                guard nameBytes > 0, let name = image.block(cursor + 12, nameBytes)?.zeroTerminated else {
                    throw .truncated
                }
                try walk(
                    image, inodeAt: cursor, path: path.isEmpty ? name : "\(path)/\(name)", depth: depth + 1, takesDevices,
                    &contents, &budget)
                cursor += 12 + nameBytes
            }
        case ImageDevice.mode & 0o170_000 where takesDevices:
            contents.devices[path] = ImageDevice(major: UInt8(truncatingIfNeeded: size >> 8), minor: UInt8(truncatingIfNeeded: size))
        // Device nodes and links inside an image gave apps what they were not granted.
        default: throw .specialFile(path)
        }
    }
}
