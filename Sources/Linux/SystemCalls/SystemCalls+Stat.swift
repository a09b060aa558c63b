// What files and file systems tell about themselves: the stat family, access, statfs.

import Memory
import Primitives

extension SystemCalls {
    static func stat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let (path, _) = try find(workingDirectory, arguments.a0, .follow, task)
        return try show(path.inode, at: arguments.a1, task)
    }

    static func lstat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let (path, _) = try find(workingDirectory, arguments.a0, [], task)
        return try show(path.inode, at: arguments.a1, task)
    }

    static func fstat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let file = try LinuxTask.file(arguments.a0.asInt32)
        return try show(file.inode, at: arguments.a1, task)
    }

    static func newfstatat(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let flags = try AtFlags(arguments.a3, known: [.noFollow, .noAutomount, .emptyPath, .statSync])
        let inode = try inode(arguments.a0, arguments.a1, flags, task)
        return try show(inode, at: arguments.a2, task)
    }

    /// The file that a name means, or with an empty name the one behind the descriptor.
    private static func inode(
        _ descriptor: UInt, _ address: UInt, _ flags: AtFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> Inode {
        let name = try pathName(address, task)
        if name.isEmpty, flags.contains(.emptyPath), descriptor.asInt32 != -100 {
            return try LinuxTask.file(descriptor.asInt32).inode
        }
        return try Names.find(name, flags.lookup, try context(descriptor, for: name), task).inode
    }

    private static func show(_ inode: Inode, at address: UInt, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    {
        try UserPointer<StatusRecord>(address).store(StatusRecord(try inode.statistics(task)), task)
        return 0
    }

    static func statx(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let flags = try AtFlags(arguments.a2, known: [.noFollow, .noAutomount, .emptyPath, .statSync])
        guard !flags.isSuperset(of: .statSync), arguments.a3.asUInt32 & 1 << 31 == 0 else { throw .invalid }
        let inode = try inode(arguments.a0, arguments.a1, flags, task)
        try UserPointer<ExtendedStatusRecord>(arguments.a4).store(
            ExtendedStatusRecord(try inode.statistics(task)), task)
        return 0
    }

    // MARK: access

    static func access(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try checkAccess(workingDirectory, arguments.a0, arguments.a1, .follow, usesRealIdentity: true, task)
    }

    static func faccessat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        try checkAccess(arguments.a0, arguments.a1, arguments.a2, .follow, usesRealIdentity: true, task)
    }

    static func faccessat2(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let flags = try AtFlags(arguments.a3, known: [.effectiveAccess, .noFollow, .emptyPath])
        return try checkAccess(
            arguments.a0, arguments.a1, arguments.a2, flags.lookup,
            usesRealIdentity: !flags.contains(.effectiveAccess), task)
    }

    private static func checkAccess(
        _ descriptor: UInt, _ address: UInt, _ mode: UInt, _ lookup: LookupFlags, usesRealIdentity: Bool,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard mode.asUInt32 & ~7 == 0 else { throw .invalid }
        let wanted = FileAccess(rawValue: mode.asUInt32)
        let name = try pathName(address, task)
        var context = try context(descriptor, for: name)
        if usesRealIdentity {
            var real = context.credentials
            real.fileUserID = real.userID
            real.fileGroupID = real.groupID
            context = NameContext(
                root: context.root, start: context.start, credentials: real, umask: context.umask)
        }
        let path = try Names.find(name, lookup, context, task)
        let kind = path.inode.kind
        if wanted.contains(.execute), kind == .regular, path.mount.flags.contains(.noExecution) {
            throw .accessDenied
        }
        try context.check(path.inode, wanted)
        if wanted.contains(.write), kind == .regular || kind == .directory {
            try Names.checkWritable(path.mount)
        }
        return 0
    }

    // MARK: File systems

    static func statfs(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let (path, _) = try find(workingDirectory, arguments.a0, .follow, task)
        return try show(path, at: arguments.a1, task)
    }

    static func fstatfs(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let file = try LinuxTask.file(arguments.a0.asInt32)
        return try show(path(of: file), at: arguments.a1, task)
    }

    private static func show(_ path: Path, at address: UInt, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    {
        let fileSystem = path.inode.fileSystem
        let record = FileSystemRecord(
            try fileSystem.statistics(task), device: fileSystem.device, flags: path.mount.flags)
        try UserPointer<FileSystemRecord>(address).store(record, task)
        return 0
    }

    /// Long replaced by statfs; tells whether a device is mounted.
    static func ustat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let device = DeviceNumber(encoded: arguments.a0.asUInt32)
        for mount in MountTable.all where mount.fileSystem.device == device {
            let statistics = try mount.fileSystem.statistics(task)
            var record = UniversalStatusRecord()
            record.freeBlocks = Int32(truncatingIfNeeded: statistics.freeBlocks)
            record.freeFiles = statistics.freeFiles
            try UserPointer<UniversalStatusRecord>(arguments.a1).store(record, task)
            return 0
        }
        throw .invalid
    }
}
