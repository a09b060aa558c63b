// Changing owners, permissions, times and sizes of files.

import Memory
import Primitives

extension SystemCalls {
    // MARK: Permissions

    static func chmod(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let (path, context) = try find(workingDirectory, arguments.a0, .follow, task)
        try Names.setPermissions(path, arguments.a1.asUInt32, context.credentials, task)
        return 0
    }

    static func fchmodat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let (path, context) = try find(arguments.a0, arguments.a1, .follow, task)
        try Names.setPermissions(path, arguments.a2.asUInt32, context.credentials, task)
        return 0
    }

    static func fchmod(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let file = try file(arguments.a0)
        try Names.setPermissions(
            path(of: file), arguments.a1.asUInt32, LinuxTask.current.credentials, task)
        return 0
    }

    // MARK: Owners

    static func chown(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let (path, _) = try find(workingDirectory, arguments.a0, .follow, task)
        return try setOwners(path, arguments.a1, arguments.a2, task)
    }

    static func lchown(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let (path, _) = try find(workingDirectory, arguments.a0, [], task)
        return try setOwners(path, arguments.a1, arguments.a2, task)
    }

    static func fchown(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let file = try file(arguments.a0)
        return try setOwners(path(of: file), arguments.a1, arguments.a2, task)
    }

    static func fchownat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let flags = try AtFlags(arguments.a4, known: [.noFollow, .emptyPath])
        let path = try place(arguments.a0, arguments.a1, flags, task)
        return try setOwners(path, arguments.a2, arguments.a3, task)
    }

    /// The place that a name means, or with an empty name the one behind the descriptor.
    private static func place(
        _ descriptor: UInt, _ address: UInt, _ flags: AtFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> Path {
        let name = try pathName(address, task)
        if name.isEmpty, flags.contains(.emptyPath), descriptor.asInt32 != -100 {
            return path(of: try LinuxTask.file(descriptor.asInt32))
        }
        return try Names.find(name, flags.lookup, try context(descriptor, for: name), task)
    }

    private static func setOwners(
        _ path: Path, _ user: UInt, _ group: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        try Names.setOwners(
            path, user: user.asUInt32 == .max ? nil : user.asUInt32,
            group: group.asUInt32 == .max ? nil : group.asUInt32, LinuxTask.current.credentials, task)
        return 0
    }

    static func umask(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        Int(LinuxTask.current.fileSystem.exchangeUmask(arguments.a0.asUInt32))
    }

    // MARK: Times

    /// `struct timespec`, twice.
    private struct Times: BitwiseCopyable {
        var accessSeconds: Int64
        var accessNanoseconds: Int64
        var modificationSeconds: Int64
        var modificationNanoseconds: Int64

        static let now: Int64 = 0x3fff_ffff  // UTIME_NOW
        static let omit: Int64 = 0x3fff_fffe  // UTIME_OMIT
    }

    static func utimensat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        let flags = try AtFlags(arguments.a3, known: [.noFollow, .emptyPath])
        var times: Times?
        if arguments.a2 != 0 {
            let given = try UserPointer<Times>(arguments.a2).load(task)
            for part in [given.accessNanoseconds, given.modificationNanoseconds]
            where part != Times.now && part != Times.omit && !(0..<1_000_000_000).contains(part) {
                throw .invalid
            }
            if given.accessNanoseconds == Times.omit, given.modificationNanoseconds == Times.omit { return 0 }
            times = given
        }
        let path: Path
        if arguments.a1 == 0 {
            // No name at all: the file behind the descriptor (futimens).
            guard arguments.a0.asInt32 != -100 else { throw .badAddress }
            path = Self.path(of: try file(arguments.a0))
        } else {
            path = try place(arguments.a0, arguments.a1, flags, task)
        }
        return try setTimes(path, times, task)
    }

    /// Nil for the present time.
    private static func setTimes(
        _ path: Path, _ times: Times?, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let now = FileClock.now
        let credentials = LinuxTask.current.credentials
        guard let times else {
            try Names.setTimes(path, access: now, modification: now, isNow: true, credentials, task)
            return 0
        }
        func time(_ seconds: Int64, _ nanoseconds: Int64) -> Int64? {
            switch nanoseconds {
            case Times.now: now
            case Times.omit: nil
            default: joinTime(seconds, nanoseconds)
            }
        }
        try Names.setTimes(
            path, access: time(times.accessSeconds, times.accessNanoseconds),
            modification: time(times.modificationSeconds, times.modificationNanoseconds),
            isNow: times.accessNanoseconds == Times.now && times.modificationNanoseconds == Times.now,
            credentials,
            task)
        return 0
    }

    /// Nanoseconds since 1970, as near as they can be told.
    private static func joinTime(_ seconds: Int64, _ nanoseconds: Int64) -> Int64 {
        let limit = Int64.max / 1_000_000_000 - 1
        return max(min(seconds, limit), -limit) * 1_000_000_000 + nanoseconds
    }

    static func utimes(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try setTimes(workingDirectory, arguments.a0, arguments.a1, task)
    }

    static func futimesat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        try setTimes(arguments.a0, arguments.a1, arguments.a2, task)
    }

    /// Times as two `struct timeval`.
    private static func setTimes(
        _ descriptor: UInt, _ address: UInt, _ pointer: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var times: Times?
        if pointer != 0 {
            var given = try UserPointer<Times>(pointer).load(task)
            guard (0..<1_000_000).contains(given.accessNanoseconds),
                (0..<1_000_000).contains(given.modificationNanoseconds)
            else { throw .invalid }
            given.accessNanoseconds *= 1000
            given.modificationNanoseconds *= 1000
            times = given
        }
        if address == 0, descriptor.asInt32 != -100 {
            return try setTimes(path(of: try file(descriptor)), times, task)
        }
        let (path, _) = try find(descriptor, address, .follow, task)
        return try setTimes(path, times, task)
    }

    static func utime(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        var times: Times?
        if arguments.a1 != 0 {
            let access = try UserPointer<Int64>(arguments.a1).load(task)
            let modification = try UserPointer<Int64>(arguments.a1)[1].load(task)
            times = Times(
                accessSeconds: access, accessNanoseconds: 0, modificationSeconds: modification,
                modificationNanoseconds: 0)
        }
        let (path, _) = try find(workingDirectory, arguments.a0, .follow, task)
        return try setTimes(path, times, task)
    }

    // MARK: Sizes

    static func truncate(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        guard arguments.a1.asInt >= 0 else { throw .invalid }
        let (path, context) = try find(workingDirectory, arguments.a0, .follow, task)
        try FileSizeLimit.check(arguments.a1.asInt)
        try Names.truncate(path, to: arguments.a1.asInt, context, task)
        return 0
    }

    static func ftruncate(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        guard arguments.a1.asInt >= 0 else { throw .invalid }
        let file = try file(arguments.a0)
        guard file.inode.kind == .regular, file.isWritable else { throw .invalid }
        try FileSizeLimit.check(arguments.a1.asInt)
        try file.inode.checkSeals(newSize: arguments.a1.asInt)
        try Names.setSize(file.inode, arguments.a1.asInt, LinuxTask.current.credentials, task)
        return 0
    }

    static func fallocate(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        let file = try file(arguments.a0)
        let (offset, count) = (arguments.a2.asInt, arguments.a3.asInt)
        guard offset >= 0, count > 0 else { throw .invalid }
        let mode = AllocationMode(rawValue: arguments.a1.asUInt32)
        guard mode.isSubset(of: [.keepSize, .punchHole]) else { throw .notSupported }
        guard !mode.contains(.punchHole) || mode.contains(.keepSize) else { throw .notSupported }
        guard file.isWritable else { throw .badFileDescriptor }
        guard file.inode.kind != .directory else { throw .isDirectory }
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard !overflow else { throw .fileTooLarge }
        if !mode.contains(.keepSize) { try FileSizeLimit.check(end) }
        try file.allocate(mode, offset, count, task)
        return 0
    }
}
