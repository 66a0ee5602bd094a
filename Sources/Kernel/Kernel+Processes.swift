import Formats
import Silicon

/// How programs begin, multiply and end.
extension Kernel {
    /// A new program in place of the old one.
    func execute(_ thread: Thread, _ path: String, _ arguments: [String], _ environment: [String], depth: Int = 0) throws(Errno) {
        let process = thread.process
        let place = try tree.find(path, from: (process.directory, process.directoryPath), for: process)
        guard let node = place.node else { throw .ENOENT }
        guard node.mode & 0o111 != 0, let bytes = node.bytes else { throw .EACCES }
        if bytes.starts(with: Array("#!".utf8)) {
            guard depth < 4 else { throw .ELOOP }
            let line = String(decoding: bytes.dropFirst(2).prefix { $0 != 10 }.prefix(256), as: UTF8.self)
            let words = line.split(separator: " ", maxSplits: 1).map { String($0).trimmed }
            guard let program = words.first, !program.isEmpty else { throw .ENOEXEC }
            let all = [program] + words.dropFirst().filter { !$0.isEmpty } + [path] + arguments.dropFirst()
            do throws(Errno) { return try execute(thread, program, all, environment, depth: depth + 1) } catch {
                if error == .ENOENT, obstacle == nil { hinder(.noInterpreter(program, of: path)) }
                throw error
            }
        }
        let image = try image(bytes, path)
        let interpreter = try image.interpreter.map { path throws(Errno) in try loader(path, of: place.path, process) }
        // The old program stays until the new one is whole.
        let core = try takeCore()
        let loaded: Loader.Loaded
        do throws(Errno) {
            loaded = try Loader.load(
                image, interpreter: interpreter, into: core.memory,
                .init(
                    arguments: arguments, environment: environment, path: path, user: process.user, random: random(16),
                    runsData: process.policy.runsData))
        } catch {
            giveBack(core)
            throw error
        }
        for other in process.threads where other !== thread { remove(other) }
        giveBack(process.core)
        process.core = core
        process.loaded = nil
        (process.programPath, process.arguments) = (place.path, arguments)
        process.name = place.path.split(separator: "/").last.map(String.init) ?? ""
        process.heap = loaded.heap..<loaded.heap
        process.nextMapping = loaded.mappings
        process.actions = process.actions.filter { $0.value.handler == SignalAction.ignore }
        process.timers = [:]
        for (descriptor, entry) in process.files.sorted(by: { $0.key < $1.key }) where entry.closesOnExec { try? process.close(descriptor) }
        thread.alternateStack = (0, 0)
        thread.clearedAtEnd = 0
        giveBackLoan(process)
        core.start(at: loaded.entry, stack: loaded.stack)
        thread.registers = core.registers
        changed()
    }

    private func image(_ bytes: [UInt8], _ path: String) throws(Errno) -> ELFImage {
        do { return try ELFImage(bytes, mayMove: true) } catch {
            hinder(.format(error, of: path))
            throw .ENOEXEC
        }
    }

    private func hinder(_ obstacle: Obstacle) {
        self.obstacle = obstacle
        onEvent(now, .notStarted(obstacle))
    }

    /// What a program says is to load its libraries.
    private func loader(_ path: String, of program: String, _ process: Process) throws(Errno) -> ELFImage {
        guard let bytes = (try? tree.find(path, from: (tree.root, "/"), for: process))?.node?.bytes else {
            hinder(.noLoader(path, of: program))
            throw .ENOENT
        }
        return try image(bytes, path)
    }

    /// clone(2) of ARM: flags, stack, where the parent's and the child's number go, thread register.
    func clone(_ thread: Thread, _ a: [UInt32]) throws(Errno) -> Answer {
        let flags = a[0]
        guard flags & 0x1_0000 != 0 else { return try fork(thread, stack: a[1], lends: flags & 0x4000 != 0, a: a) }
        let process = thread.process
        guard process.threads.count < process.policy.threads else { throw .EAGAIN }
        save(thread)
        var registers = process.core.registers
        registers.general[0] = 0
        registers.general[13] = a[1]
        if flags & 0x8_0000 != 0 { registers.thread = a[3] }
        let child = Thread(id: takeID(), process: process, registers: registers)
        child.mask = thread.mask
        if flags & 0x20_0000 != 0 { child.clearedAtEnd = a[4] }
        if flags & 0x10_0000 != 0 { try process.memory.put(a[2], UInt32(child.id).littleEndianBytes) }
        if flags & 0x100_0000 != 0 { try process.memory.put(a[4], UInt32(child.id).littleEndianBytes) }
        add(child)
        return .value(UInt32(child.id))
    }

    /// - Parameter lends: The parent stands still until the child has a program of its own, or is gone.
    func fork(_ thread: Thread, stack: UInt32, lends: Bool, a: [UInt32]) throws(Errno) -> Answer {
        let parent = thread.process
        guard parent.policy.mayFork else { throw .EPERM }
        guard processes.count < parent.policy.processes else { throw .EAGAIN }
        let core = try takeCore()
        core.memory.copy(parent.core.memory)
        save(thread)
        var registers = parent.core.registers
        registers.general[0] = 0
        if stack != 0 { registers.general[13] = stack }
        if a[0] & 0x8_0000 != 0 { registers.thread = a[3] }
        let child = Process(
            id: takeID(), parent: parent.id, policy: parent.policy, core: core, directory: parent.directory,
            programPath: parent.programPath, arguments: parent.arguments)
        child.directoryPath = parent.directoryPath
        (child.group, child.session, child.name) = (parent.group, parent.session, parent.name)
        (child.heap, child.nextMapping, child.actions) = (parent.heap, parent.nextMapping, parent.actions)
        child.creationMask = parent.creationMask
        for (descriptor, entry) in parent.files {
            entry.file.retain()
            child.files[descriptor] = entry
        }
        let first = Thread(id: child.id, process: child, registers: registers)
        first.mask = thread.mask
        if a[0] & 0x20_0000 != 0 { first.clearedAtEnd = a[4] }
        if a[0] & 0x100_0000 != 0 { child.core.memory.store(a[4], UInt32(child.id).littleEndianBytes) }
        // As in Linux, a wrong place for the number does not undo the fork.
        if a[0] & 0x10_0000 != 0 { parent.core.memory.store(a[2], UInt32(child.id).littleEndianBytes) }
        processes[child.id] = child
        showProcess(child)
        add(first)
        guard lends else { return .value(UInt32(child.id)) }
        thread.registers.general[0] = UInt32(child.id)
        unload(thread)
        thread.state = .lending
        child.lender = thread
        return .noAnswer
    }

    private func giveBackLoan(_ process: Process) {
        guard let lender = process.lender else { return }
        process.lender = nil
        if case .lending = lender.state { lender.state = .ready }
        changed()
    }

    // MARK: Ends

    func endThread(_ thread: Thread, code: UInt32) {
        let process = thread.process
        if process.threads.count == 1 { return end(process, status: (code & 0xFF) << 8) }
        if thread.clearedAtEnd != 0, process.core.memory.store(thread.clearedAtEnd, [0, 0, 0, 0]) {
            _ = wakeWaiters(FutexKey(process: process.id, address: thread.clearedAtEnd), 1)
        }
        save(thread)
        remove(thread)
    }

    /// - Parameter status: As wait4 tells it: the exit code above 8 bits, or the signal.
    func end(_ process: Process, status: UInt32) {
        guard process.status == nil else { return }
        process.status = status
        keepSystemFiles()
        for thread in process.threads { remove(thread) }
        process.closeAll()
        hideProcess(process)
        giveBackLoan(process)
        giveBack(process.core)
        for child in processes.values.sorted(by: { $0.id < $1.id }) where child.parent == process.id {
            child.parent = 1
            if child.status != nil { processes[child.id] = nil }
        }
        if let parent = processes[process.parent], parent.status == nil {
            let code: Int32 = status & 0x7F == 0 ? 1 : 2
            let value = status & 0x7F == 0 ? Int32(status >> 8) : Int32(status & 0x7F)
            if parent.actions[SignalNumber.child]?.handler == SignalAction.ignore { processes[process.id] = nil }
            send(SignalInformation(number: SignalNumber.child, code: code, value: UInt32(process.id), status: value), to: parent)
        }
        changed()
    }

    // MARK: Futexes

    func wakeWaiters(_ key: FutexKey, _ limit: UInt32) -> UInt32 {
        var waiters = futexWaiters[key] ?? []
        var woken: UInt32 = 0
        while woken < limit, !waiters.isEmpty {
            waiters.removeFirst()
            woken += 1
        }
        futexWaiters[key] = waiters.isEmpty ? nil : waiters
        if woken > 0 { changed() }
        return woken
    }

    /// Waiters that wait at another address from now on.
    func requeued(_ threads: [Thread], to address: UInt32) {
        for thread in threads {
            if case .waiting(var call) = thread.state {
                call.arguments[0] = address
                thread.state = .waiting(call)
            }
        }
    }

    /// A wait is over, whatever the reason.
    func forgetWait(_ thread: Thread) {
        for (key, waiters) in futexWaiters where waiters.contains(where: { $0 === thread }) {
            let left = waiters.filter { $0 !== thread }
            futexWaiters[key] = left.isEmpty ? nil : left
        }
    }
}

extension String {
    var trimmed: String { String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()) }
}
