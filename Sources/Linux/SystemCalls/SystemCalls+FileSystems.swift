// Mounting, and bringing contents to where they outlive power: RAM file systems have nothing to bring anywhere.

import Memory
import Primitives

extension SystemCalls {
    static func mount(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        var flags = MountFlags(rawValue: arguments.a3.asUInt32)
        // An old mark that all flags are meant as they are (MS_MGC_VAL).
        if flags.rawValue & 0xffff_0000 == 0xc0ed_0000 {
            flags = MountFlags(rawValue: flags.rawValue & 0xffff)
        }
        let typeName = arguments.a2 == 0 ? [] : try pathName(arguments.a2, task)
        let source = arguments.a0 == 0 ? [] : try pathName(arguments.a0, task)
        let data = try mountData(arguments.a4, task)
        let (place, context) = try find(workingDirectory, arguments.a1, .follow, task)
        guard context.credentials.isPrivileged else { throw .notPermitted }
        if flags.contains(.remount) { return try remount(place, flags, data) }
        if flags.contains(.bind) {
            let (from, _) = try find(workingDirectory, arguments.a0, .follow, task)
            try Names.bind(from, on: place, task)
            return 0
        }
        // There is one name space and no propagation: whatever is asked for, it is so.
        if !flags.isDisjoint(with: .propagation) { return 0 }
        guard !flags.contains(.move) else { throw .invalid }
        guard arguments.a2 != 0 else { throw .invalid }
        guard let type = FileSystemType.named(typeName.span) else { throw .noDevice }
        guard place.inode.kind == .directory else { throw .notDirectory }
        let fileSystem = try type.make(source: source, data: data, task)
        try Names.mount(
            fileSystem, on: place, source: source.isEmpty ? [UInt8]("none".utf8) : source, flags: flags, task)
        return 0
    }

    /// The options: text up to a zero, at most a page.
    private static func mountData(_ address: UInt, _ task: borrowing TaskContext) throws(Errno) -> [UInt8] {
        guard address != 0 else { return [] }
        return try UserMemory.string(at: address, limit: 4096, tooLong: .invalid, task)
    }

    private static func remount(_ place: Path, _ flags: MountFlags, _ data: [UInt8]) throws(Errno) -> Int {
        guard place.entry === place.mount.root else { throw .invalid }
        if !flags.contains(.bind) { try place.mount.fileSystem.reconfigure(data) }
        place.mount.flags = flags.intersection(.kept)
        return 0
    }

    static func umount2(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let flags = arguments.a1.asUInt32
        // MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW.
        guard flags & ~0xf == 0, flags & 4 == 0 || flags & 3 == 0 else { throw .invalid }
        let (path, context) = try find(workingDirectory, arguments.a0, flags & 8 != 0 ? [] : .follow, task)
        guard context.credentials.isPrivileged else { throw .notPermitted }
        // What marks a mount as expired is not kept: it never is.
        guard flags & 4 == 0 else { throw .tryAgain }
        try Names.unmount(path, lazily: flags & 2 != 0, task)
        return 0
    }

    static func sync(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        0
    }

    static func syncfs(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        _ = try file(arguments.a0)
        return 0
    }

    static func fsync(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try file(arguments.a0).synchronize(task)
        return 0
    }

    static func fdatasync(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        try fsync(task, arguments)
    }

    static func sync_file_range(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a3.asUInt32 & ~7 == 0, arguments.a1.asInt >= 0, arguments.a2.asInt >= 0 else {
            throw .invalid
        }
        let kind = try file(arguments.a0).inode.kind
        guard kind == .regular || kind == .blockDevice || kind == .directory else { throw .illegalSeek }
        return 0
    }

    /// Advice about what will be read when all of it is in memory anyway.
    static func fadvise64(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        let file = try file(arguments.a0)
        guard file.inode.kind != .fifo else { throw .illegalSeek }
        guard arguments.a2.asInt >= 0, arguments.a3.asUInt32 <= 5 else { throw .invalid }
        return 0
    }

    static func readahead(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        let file = try file(arguments.a0)
        guard file.isReadable else { throw .badFileDescriptor }
        guard file.inode.kind == .regular || file.inode.kind == .blockDevice else { throw .invalid }
        return 0
    }
}
