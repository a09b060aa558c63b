// Opening, closing and duplicating descriptors.

import Memory
import Primitives

extension SystemCalls {
    static func open(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try openAt(workingDirectory, arguments.a0, arguments.a1, arguments.a2, task)
    }

    static func openat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try openAt(arguments.a0, arguments.a1, arguments.a2, arguments.a3, task)
    }

    static func creat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let flags: OpenFlags = [.create, .writeOnly, .truncate]
        return try openAt(workingDirectory, arguments.a0, UInt(flags.rawValue), arguments.a1, task)
    }

    private static func openAt(
        _ directory: UInt, _ address: UInt, _ flags: UInt, _ mode: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        // Every open file counts as one for large files.
        var flags = OpenFlags(rawValue: flags.asUInt32).union(.largeFile)
        if flags.contains(.path) { flags.formIntersection([.path, .directory, .noFollow, .closeOnExec]) }
        let name = try pathName(address, task)
        let context = try context(directory, for: name)
        let files = LinuxTask.current.files
        let closeOnExec = flags.contains(.closeOnExec)
        let descriptor = try files.reserve(limit: descriptorLimit, closeOnExec: closeOnExec)
        do throws(Errno) {
            let file = try Names.open(
                name, flags, permissions: mode.asUInt32 & 0o7777, context, task)
            files.install(descriptor, file)
            return Int(descriptor)
        } catch {
            files.cancel(descriptor)
            throw error
        }
    }

    static func close(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let files = LinuxTask.current.files
        let file = try files.remove(arguments.a0.asInt32)
        file.descriptorClosed(by: files)
        return 0
    }

    /// Flags of close_range(2).
    private static let rangeUnshare: UInt32 = 2
    private static let rangeCloseOnExec: UInt32 = 4

    static func close_range(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let first = arguments.a0.asUInt32
        let last = arguments.a1.asUInt32
        let flags = arguments.a2.asUInt32
        guard flags & ~(rangeUnshare | rangeCloseOnExec) == 0, first <= last else { throw .invalid }
        let current = LinuxTask.current
        if flags & rangeUnshare != 0 {
            let own = DescriptorTable(copying: current.files)
            current.lock.withLock { _ in current.files = own }
        }
        let files = current.files
        guard first <= UInt32(Int32.max) else { return 0 }
        var next = Int32(first)
        while let (descriptor, _) = files.next(from: next), UInt32(descriptor) <= last {
            if flags & rangeCloseOnExec != 0 {
                try files.setClosesOnExec(descriptor, true)
            } else if let file = try? files.remove(descriptor) {
                file.descriptorClosed(by: files)
            }
            next = descriptor &+ 1
        }
        return 0
    }

    static func dup(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let files = LinuxTask.current.files
        let file = try files.file(arguments.a0.asInt32)
        return Int(try files.insert(file, limit: descriptorLimit, closeOnExec: false))
    }

    static func dup2(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        guard arguments.a0.asInt32 != arguments.a1.asInt32 else {
            _ = try LinuxTask.file(arguments.a0.asInt32)
            return Int(arguments.a0.asInt32)
        }
        return try duplicate(arguments.a0.asInt32, arguments.a1.asInt32, closeOnExec: false)
    }

    static func dup3(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let flags = OpenFlags(rawValue: arguments.a2.asUInt32)
        guard flags.isSubset(of: .closeOnExec), arguments.a0.asInt32 != arguments.a1.asInt32 else {
            throw .invalid
        }
        return try duplicate(
            arguments.a0.asInt32, arguments.a1.asInt32, closeOnExec: flags.contains(.closeOnExec))
    }

    private static func duplicate(_ old: Int32, _ new: Int32, closeOnExec: Bool) throws(Errno) -> Int {
        let files = LinuxTask.current.files
        let file = try files.file(old)
        let replaced = try files.replace(new, with: file, limit: descriptorLimit, closeOnExec: closeOnExec)
        replaced?.descriptorClosed(by: files)
        return Int(new)
    }

    static func pipe(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try makePipe(arguments.a0, [], task)
    }

    static func pipe2(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try makePipe(arguments.a0, OpenFlags(rawValue: arguments.a1.asUInt32), task)
    }

    private static func makePipe(
        _ address: UInt, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard flags.isSubset(of: [.closeOnExec, .nonBlocking, .direct]) else { throw .invalid }
        let current = LinuxTask.current
        let closeOnExec = flags.contains(.closeOnExec)
        let owner = FileOwner(
            userID: current.credentials.fileUserID, groupID: current.credentials.fileGroupID)
        let (reader, writer) = PipeFileSystem.makePipe(flags, owner: owner)
        let files = current.files
        let first = try files.insert(reader, limit: descriptorLimit, closeOnExec: closeOnExec)
        do throws(Errno) {
            let second = try files.insert(writer, limit: descriptorLimit, closeOnExec: closeOnExec)
            do throws(Errno) {
                try UserPointer<Descriptors>(address).store(Descriptors(first: first, second: second), task)
            } catch {
                _ = try files.remove(second)
                throw error
            }
        } catch {
            _ = try files.remove(first)
            throw error
        }
        return 0
    }

    /// `int[2]`.
    private struct Descriptors: BitwiseCopyable {
        let first: Int32
        let second: Int32
    }
}
