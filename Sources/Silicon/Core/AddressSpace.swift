import Glibc

/// The pages of one program: what is mapped where, and what the program may do with it. Pages that cannot be written may be
/// shown in several spaces at once.
@safe public final class AddressSpace {
    public enum Access: Sendable, Equatable {
        case none, read, readWrite, readExecute
        /// What no sound kernel maps.
        case everything

        var isExecutable: Bool { self == .readExecute || self == .everything }
    }

    public static let pageBytes: UInt32 = 4096

    private struct Page {
        var memory: Engine.Memory
        var offset: Int
        var access: Access
        /// Another space shows the same memory.
        var isShared = false
        /// The program may write it, or could once: what its memory quota counts.
        var isOwn = false
        /// It came out of a file.
        var isFilled = false
    }

    private let engine: Engine
    private var pages: [UInt32: Page] = [:]
    /// Pages from here on belong to the kernel.
    private let limit: UInt32

    init(_ engine: Engine, limit: UInt32) {
        self.engine = engine
        self.limit = limit
    }

    private static func permission(_ access: Access) -> Engine.Permission {
        switch access {
        case .read: .read
        case .readWrite: .readWrite
        case .readExecute: .readExecute
        case .everything: .readWriteExecute
        case .none: .none
        }
    }

    private func isPlace(_ address: UInt32, _ count: Int) -> Bool {
        address % AddressSpace.pageBytes == 0 && count > 0 && count % Int(AddressSpace.pageBytes) == 0
            && UInt64(address) + UInt64(count) <= UInt64(limit)
    }

    private static func numbers(_ address: UInt32, _ count: Int) -> Range<UInt32> {
        let first = address / pageBytes
        return first..<first + UInt32(count) / pageBytes
    }

    public func access(at address: UInt32) -> Access? { pages[address / AddressSpace.pageBytes]?.access }

    /// Whether nothing is mapped there.
    public func isFree(_ address: UInt32, count: Int) -> Bool {
        isPlace(address, count) && AddressSpace.numbers(address, count).allSatisfy { pages[$0] == nil }
    }

    /// The lowest page in a stretch that is mapped; nil if it is free.
    public func firstMapped(_ address: UInt32, count: Int) -> UInt32? {
        let numbers = AddressSpace.numbers(address, count)
        let first = numbers.count > pages.count ? pages.keys.filter(numbers.contains).min() : numbers.first { pages[$0] != nil }
        return first.map { $0 * AddressSpace.pageBytes }
    }

    /// Bytes that are the program's own: that it may write or could once, and that no other space had before.
    public var privateBytes: Int {
        if let counted { return counted }
        let count = pages.values.count { $0.isOwn } * Int(AddressSpace.pageBytes)
        counted = count
        return count
    }
    private var counted: Int?

    /// Those of them that were read or written since they were mapped.
    public var touchedBytes: Int {
        let own = runs(pages.keys.sorted()) { page, next in AddressSpace.areAlike(page, next) && page.isOwn == next.isOwn }
        var count = 0
        for (base, length) in own {
            guard let page = pages[base / AddressSpace.pageBytes], page.isOwn else { continue }
            count += page.memory.touched(from: page.offset, count: length).count { $0 }
        }
        return count * Int(AddressSpace.pageBytes)
    }

    /// Stretches that are mapped, in the order of their addresses, and what the program may do with each.
    public var stretches: [(start: UInt32, count: Int, access: Access)] {
        runs(pages.keys.sorted()) { $0.access == $1.access }.map { ($0.0, $0.1, pages[$0.0 / AddressSpace.pageBytes]?.access ?? .none) }
    }

    /// Pages that the program does not need for now are zeros when it comes back to them; those out of a file stay.
    public func release(_ address: UInt32, count: Int) {
        guard isPlace(address, count) else { return }
        let unneeded = runs(AddressSpace.numbers(address, count)) { page, next in
            AddressSpace.areAlike(page, next) && page.isOwn == next.isOwn && page.isFilled == next.isFilled
        }
        for (base, length) in unneeded {
            guard let page = pages[base / AddressSpace.pageBytes], page.isOwn, !page.isShared, !page.isFilled else { continue }
            page.memory.release(from: page.offset, count: length)
        }
    }

    /// All that is mapped, whatever its permissions.
    public var mappedBytes: Int { pages.count * Int(AddressSpace.pageBytes) }

    // MARK: Mapping

    /// Whether the engine can have so many more stretches: those that have become one again are shown as one, if need be.
    private func makeRoom(_ more: Int) -> Bool {
        if engine.hasRoom(forRegions: more) { return true }
        let stretches = runs(pages.keys.sorted(), AddressSpace.areAlike)
        // As long as it helps for a while.
        guard stretches.count + more <= Engine.mostRegions * 3 / 4 else { return false }
        hideAll()
        showAgain()
        return engine.hasRoom(forRegions: more)
    }

    private func hideAll() {
        for (base, length) in runs(pages.keys.sorted(), { _, _ in true }) {
            engine.forgetCode(base, count: length)
            engine.hide(base, count: length)
        }
    }

    /// Where there is no room for more stretches, a change may leave fewer of them: then all is shown anew. False, and nothing
    /// has changed, if it leaves more.
    private func changeAsWhole(_ change: () -> Void) -> Bool {
        let before = pages
        let count = runs(pages.keys.sorted(), AddressSpace.areAlike).count
        change()
        let after = pages
        guard runs(pages.keys.sorted(), AddressSpace.areAlike).count <= min(count, Engine.mostRegions) else {
            pages = before
            return false
        }
        pages = before
        hideAll()
        pages = after
        counted = nil
        showAgain()
        return true
    }

    /// Maps zeros; false if something is mapped there already, or the engine has no room for more.
    public func map(_ address: UInt32, count: Int, _ access: Access) -> Bool {
        guard isFree(address, count: count), makeRoom(1) else { return false }
        let memory = Engine.Memory(base: address, count: count, AddressSpace.permission(access))
        guard engine.show(memory, at: address, from: 0, count: count, AddressSpace.permission(access)) else { return false }
        for (index, number) in AddressSpace.numbers(address, count).enumerated() {
            pages[number] = Page(
                memory: memory, offset: index * Int(AddressSpace.pageBytes), access: access,
                isOwn: access == .readWrite || access == .everything)
        }
        counted = nil
        return true
    }

    /// Holes are no harm. False if what is left would be more stretches than the engine can have.
    @discardableResult public func unmap(_ address: UInt32, count: Int) -> Bool {
        guard isPlace(address, count) else { return true }
        let numbers = AddressSpace.numbers(address, count)
        guard makeRoom(1) else { return changeAsWhole { for number in numbers { pages[number] = nil } } }
        if numbers.count > pages.count {
            unmap(runs(pages.keys.filter(numbers.contains).sorted(), { _, _ in true }))
        } else {
            unmap(runs(numbers, { _, _ in true }))
        }
        return true
    }

    private func unmap(_ runs: [(UInt32, Int)]) {
        for (start, length) in runs {
            if AddressSpace.numbers(start, length).contains(where: { pages[$0]?.access.isExecutable == true }) {
                engine.forgetCode(start, count: length)
            }
            engine.hide(start, count: length)
            for number in AddressSpace.numbers(start, length) { pages[number] = nil }
        }
        counted = nil
    }

    public func unmapAll() {
        unmap(runs(pages.keys.sorted(), { _, _ in true }))
        pages = [:]
    }

    /// False if a part of it is not mapped, or the engine has no room for more stretches.
    public func protect(_ address: UInt32, count: Int, _ access: Access) -> Bool {
        guard isPlace(address, count), AddressSpace.numbers(address, count).allSatisfy({ pages[$0] != nil }) else { return false }
        let shared = access == .readWrite ? AddressSpace.numbers(address, count).filter { pages[$0]?.isShared == true } : []
        guard makeRoom(2 + 2 * shared.count) else {
            return shared.isEmpty && changeAsWhole { note(access, address, count) }
        }
        for number in shared { unshare(number) }
        engine.forgetCode(address, count: count)
        engine.protect(address, count: count, AddressSpace.permission(access))
        note(access, address, count)
        return true
    }

    private func note(_ access: Access, _ address: UInt32, _ count: Int) {
        for number in AddressSpace.numbers(address, count) {
            pages[number]?.access = access
            if access == .readWrite { pages[number]?.isOwn = true }
        }
        counted = nil
    }

    private func unshare(_ number: UInt32) {
        guard let page = pages[number] else { return }
        let (base, count) = (number * AddressSpace.pageBytes, Int(AddressSpace.pageBytes))
        let memory = Engine.Memory(base: base, count: count, .readWrite)
        unsafe memory.bytes.copyBytes(from: UnsafeRawBufferPointer(rebasing: page.memory.bytes[page.offset..<page.offset + count]))
        engine.hide(base, count: count)
        _ = engine.show(memory, at: base, from: 0, count: count, AddressSpace.permission(page.access))
        pages[number] = Page(memory: memory, offset: 0, access: page.access, isOwn: true, isFilled: page.isFilled)
    }

    /// Stretches of pages that are alike.
    private func runs(_ numbers: some Sequence<UInt32>, _ isAlike: (Page, Page) -> Bool) -> [(UInt32, Int)] {
        var runs: [(UInt32, Int)] = []
        var last: (number: UInt32, page: Page)?
        for number in numbers {
            guard let page = pages[number] else { continue }
            if let before = last, before.number + 1 == number, isAlike(before.page, page), let index = runs.indices.last {
                runs[index].1 += Int(AddressSpace.pageBytes)
            } else {
                runs.append((number * AddressSpace.pageBytes, Int(AddressSpace.pageBytes)))
            }
            last = (number, page)
        }
        return runs
    }

    /// What another space shows, as after a fork: writable pages are copied, others shared.
    public func copy(_ other: AddressSpace) {
        for (base, length) in other.runs(other.pages.keys.sorted(), AddressSpace.areAlike) {
            let number = base / AddressSpace.pageBytes
            guard let page = other.pages[number] else { continue }
            if page.access == .readWrite || page.access == .everything || page.access == .none {
                _ = map(base, count: length, page.access)
                let touched = page.memory.touched(from: page.offset, count: length)
                for index in stride(from: 0, to: length, by: Int(AddressSpace.pageBytes)) where touched[index / 4096] {
                    // Pages of zeros are not written: they cost nothing.
                    let source = unsafe page.memory.bytes[(page.offset + index)..<(page.offset + index + 4096)]
                    guard unsafe source.contains(where: { $0 != 0 }), let own = pages[number + UInt32(index) / 4096] else { continue }
                    pages[number + UInt32(index) / 4096]?.isFilled = other.pages[number + UInt32(index) / 4096]?.isFilled ?? false
                    unsafe memcpy(own.memory.bytes.baseAddress! + own.offset, UnsafeRawBufferPointer(rebasing: source).baseAddress!, 4096)
                }
            } else {
                _ = engine.show(page.memory, at: base, from: page.offset, count: length, AddressSpace.permission(page.access))
                for shown in AddressSpace.numbers(base, length) {
                    other.pages[shown]?.isShared = true
                    pages[shown] = other.pages[shown]
                    pages[shown]?.isOwn = false
                }
            }
        }
        counted = nil
    }

    /// The engine is another one.
    func showAgain() {
        for (base, length) in runs(pages.keys.sorted(), AddressSpace.areAlike) {
            guard let page = pages[base / AddressSpace.pageBytes] else { continue }
            _ = engine.show(page.memory, at: base, from: page.offset, count: length, AddressSpace.permission(page.access))
        }
    }

    /// Whether two pages, one behind the other, are one stretch of memory.
    private static func areAlike(_ page: Page, _ next: Page) -> Bool {
        page.memory === next.memory && next.offset == page.offset + Int(pageBytes) && page.access == next.access
    }

    // MARK: Bytes

    /// As the kernel reads: nil where the program itself could not.
    public func load(_ address: UInt32, _ count: Int) -> [UInt8]? {
        guard count >= 0, UInt64(address) + UInt64(count) <= 1 << 32 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        let isWhole = eachPart(address, count) { page, start, length, _ in
            guard page.access != .none else { return false }
            unsafe bytes.append(contentsOf: page.memory.bytes[start..<start + length])
            return true
        }
        return isWhole ? bytes : nil
    }

    /// As the kernel writes for the program: false where the program itself could not.
    @discardableResult public func store(_ address: UInt32, _ bytes: [UInt8]) -> Bool {
        put(address, bytes) { $0 == .readWrite || $0 == .everything }
    }

    /// As a loader writes: wherever something is mapped.
    @discardableResult public func fill(_ address: UInt32, _ bytes: [UInt8]) -> Bool {
        defer { engine.forgetCode(address, count: bytes.count) }
        if !bytes.isEmpty, bytes.count <= Int(limit) {
            let last = address &+ UInt32(bytes.count - 1)
            if last >= address {
                for number in address / AddressSpace.pageBytes...last / AddressSpace.pageBytes { pages[number]?.isFilled = true }
            }
        }
        return put(address, bytes) { _ in true }
    }

    private func put(_ address: UInt32, _ bytes: [UInt8], _ isAllowed: (Access) -> Bool) -> Bool {
        guard UInt64(address) + UInt64(bytes.count) <= 1 << 32 else { return false }
        // Nothing is written unless all can be.
        guard eachPart(address, bytes.count, { page, _, _, _ in isAllowed(page.access) }) else { return false }
        return eachPart(address, bytes.count) { page, start, length, done in
            unsafe bytes.withUnsafeBytes { source in
                _ = unsafe memcpy(page.memory.bytes.baseAddress! + start, source.baseAddress! + done, length)
            }
            return true
        }
    }

    /// Parts of a stretch, each in one page: the page, where in its memory, how many bytes, and how many came before.
    private func eachPart(_ address: UInt32, _ count: Int, _ body: (Page, Int, Int, Int) -> Bool) -> Bool {
        var done = 0
        while done < count {
            let at = address &+ UInt32(done)
            guard let page = pages[at / AddressSpace.pageBytes] else { return false }
            let inside = Int(at % AddressSpace.pageBytes)
            let length = min(count - done, Int(AddressSpace.pageBytes) - inside)
            guard body(page, page.offset + inside, length, done) else { return false }
            done += length
        }
        return true
    }

    public func word(_ address: UInt32) -> UInt32? {
        load(address, 4).map { UInt32($0[0]) | UInt32($0[1]) << 8 | UInt32($0[2]) << 16 | UInt32($0[3]) << 24 }
    }

    /// A string that ends with a zero; nil if it is longer, or not all there.
    public func text(_ address: UInt32, limit: Int = 4096) -> String? {
        var bytes: [UInt8] = []
        var at = address
        while bytes.count <= limit {
            let length = Int(AddressSpace.pageBytes - at % AddressSpace.pageBytes)
            guard let part = load(at, length) else { return nil }
            if let end = part.firstIndex(of: 0) { return String(decoding: bytes + part[..<end], as: UTF8.self) }
            bytes += part
            at &+= UInt32(length)
        }
        return nil
    }
}
