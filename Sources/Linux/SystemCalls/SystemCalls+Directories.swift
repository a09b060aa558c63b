// Where a process is, what is in a directory, and moving within files.

import Memory
import Primitives
import Tasks

extension SystemCalls {
    static func getdents64(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        try list(arguments, .wide, task)
    }

    static func getdents(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try list(arguments, .narrow, task)
    }

    private static func list(
        _ arguments: SystemCallArguments, _ format: DirectoryBuffer.Format, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let file = try file(arguments.a0)
        guard file.inode.kind == .directory else { throw .notDirectory }
        file.positionMutex.lock(task)
        defer { file.positionMutex.unlock() }
        var buffer = DirectoryBuffer(capacity: Int(arguments.a2.asUInt32), format: format)
        let before = file.position
        try file.readDirectory(into: &buffer, task)
        // There are entries, but not even one fits.
        guard !buffer.bytes.isEmpty || !buffer.isFull else { throw .invalid }
        do throws(Errno) {
            try UserMemory.copyOut(buffer.bytes.span, to: arguments.a1, task)
        } catch {
            file.position = before
            throw error
        }
        return buffer.bytes.count
    }

    static func lseek(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let file = try file(arguments.a0)
        guard let origin = SeekOrigin(rawValue: arguments.a2.asUInt32) else { throw .invalid }
        guard file.isSeekable else { throw .illegalSeek }
        file.positionMutex.lock(task)
        defer { file.positionMutex.unlock() }
        return try file.seek(arguments.a1.asInt, origin, task)
    }

    static func chdir(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let (path, context) = try find(workingDirectory, arguments.a0, [.follow, .directory], task)
        try context.check(path.inode, .execute)
        LinuxTask.current.fileSystem.setWorking(path)
        return 0
    }

    static func fchdir(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let current = LinuxTask.current
        let file = try current.files.file(arguments.a0.asInt32)
        guard let path = file.path, path.inode.kind == .directory else { throw .notDirectory }
        guard Permission.allows(path.inode, .execute, current.credentials) else { throw .accessDenied }
        current.fileSystem.setWorking(path)
        return 0
    }

    static func chroot(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let (path, context) = try find(workingDirectory, arguments.a0, [.follow, .directory], task)
        try context.check(path.inode, .execute)
        guard context.credentials.isPrivileged else { throw .notPermitted }
        LinuxTask.current.fileSystem.setRoot(path)
        return 0
    }

    static func getcwd(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let place = LinuxTask.current.fileSystem.snapshot
        guard !place.working.entry.isRemoved else { throw .noSuchFile }
        var name = PathName.of(place.working, from: place.root)
        name.append(0)
        guard name.count <= pathLimit else { throw .nameTooLong }
        guard UInt(name.count) <= arguments.a1 else { throw .range }
        try UserMemory.copyOut(name.span, to: arguments.a0, task)
        return name.count
    }
}
