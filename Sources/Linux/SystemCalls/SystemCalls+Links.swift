// Making, removing and renaming files, directories and links.

import Memory
import Primitives

extension SystemCalls {
    // MARK: Directories

    static func mkdir(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try makeDirectory(workingDirectory, arguments.a0, arguments.a1, task)
    }

    static func mkdirat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try makeDirectory(arguments.a0, arguments.a1, arguments.a2, task)
    }

    private static func makeDirectory(
        _ directory: UInt, _ address: UInt, _ mode: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let name = try pathName(address, task)
        let context = try context(directory, for: name)
        _ = try Names.makeNode(
            name, mode: FileMode(.directory, mode.asUInt32 & 0o1777), device: .none, context, task)
        return 0
    }

    static func rmdir(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let name = try pathName(arguments.a0, task)
        try Names.removeDirectory(name, try context(workingDirectory, for: name), task)
        return 0
    }

    static func unlink(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let name = try pathName(arguments.a0, task)
        try Names.unlink(name, try context(workingDirectory, for: name), task)
        return 0
    }

    static func unlinkat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let flags = try AtFlags(arguments.a2, known: .removeDirectory)
        let name = try pathName(arguments.a1, task)
        let context = try context(arguments.a0, for: name)
        if flags.contains(.removeDirectory) {
            try Names.removeDirectory(name, context, task)
        } else {
            try Names.unlink(name, context, task)
        }
        return 0
    }

    // MARK: Nodes

    static func mknod(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try makeNode(workingDirectory, arguments.a0, arguments.a1, arguments.a2, task)
    }

    static func mknodat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try makeNode(arguments.a0, arguments.a1, arguments.a2, arguments.a3, task)
    }

    private static func makeNode(
        _ directory: UInt, _ address: UInt, _ mode: UInt, _ device: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let format = mode.asUInt32 & 0o170000
        let kind = format == 0 ? .regular : FileMode(bits: format).kind
        var number = DeviceNumber.none
        switch kind {
        case .regular, .fifo, .socket: break
        case .characterDevice, .blockDevice:
            guard LinuxTask.current.credentials.isPrivileged else { throw .notPermitted }
            number = DeviceNumber(encoded: device.asUInt32)
        case .directory: throw .notPermitted
        default: throw .invalid
        }
        let name = try pathName(address, task)
        let context = try context(directory, for: name)
        let full = FileMode(kind ?? .regular, mode.asUInt32)
        _ = try Names.makeNode(name, mode: full, device: number, context, task)
        return 0
    }

    // MARK: Links

    static func link(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try makeLink(workingDirectory, arguments.a0, workingDirectory, arguments.a1, [], task)
    }

    static func linkat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let flags = try AtFlags(arguments.a4, known: [.follow, .emptyPath])
        if flags.contains(.emptyPath), !LinuxTask.current.credentials.isPrivilegedForFiles {
            throw .noSuchFile
        }
        var lookup: LookupFlags = flags.contains(.follow) ? .follow : []
        if flags.contains(.emptyPath) { lookup.insert(.allowEmpty) }
        return try makeLink(arguments.a0, arguments.a1, arguments.a2, arguments.a3, lookup, task)
    }

    private static func makeLink(
        _ oldDirectory: UInt, _ old: UInt, _ newDirectory: UInt, _ new: UInt, _ flags: LookupFlags,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let (path, _) = try find(oldDirectory, old, flags, task)
        let name = try pathName(new, task)
        try Names.makeLink(to: path, name, try context(newDirectory, for: name), task)
        return 0
    }

    static func symlink(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try makeSymbolicLink(arguments.a0, workingDirectory, arguments.a1, task)
    }

    static func symlinkat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        try makeSymbolicLink(arguments.a0, arguments.a1, arguments.a2, task)
    }

    private static func makeSymbolicLink(
        _ target: UInt, _ directory: UInt, _ address: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let text = try pathName(target, task)
        guard !text.isEmpty else { throw .noSuchFile }
        let name = try pathName(address, task)
        _ = try Names.makeSymbolicLink(name, to: text, try context(directory, for: name), task)
        return 0
    }

    static func readlink(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try readLink(workingDirectory, arguments.a0, arguments.a1, arguments.a2, task)
    }

    static func readlinkat(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        try readLink(arguments.a0, arguments.a1, arguments.a2, arguments.a3, task)
    }

    private static func readLink(
        _ directory: UInt, _ address: UInt, _ buffer: UInt, _ size: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard size.asInt32 > 0 else { throw .invalid }
        let name = try pathName(address, task)
        // With an empty name, the link that the descriptor was opened for (O_PATH | O_NOFOLLOW).
        let isEmpty = name.isEmpty && directory.asInt32 != -100
        let context = try context(directory, for: name)
        let path = try Names.find(name, isEmpty ? .allowEmpty : [], context, task)
        guard path.inode.kind == .symbolicLink else { throw isEmpty ? .noSuchFile : .invalid }
        let text = text(of: try path.inode.readLink(task), from: context.root)
        let count = min(text.count, Int(size.asInt32))
        try UserMemory.copyOut(text.span.extracting(0..<count), to: buffer, task)
        return count
    }

    private static func text(of target: LinkTarget, from root: Path) -> [UInt8] {
        switch target {
        case .name(let name): name
        case .path(let place): PathName.shown(place, from: root)
        }
    }

    // MARK: Renaming

    static func rename(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try rename(workingDirectory, arguments.a0, workingDirectory, arguments.a1, [], task)
    }

    static func renameat(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try rename(arguments.a0, arguments.a1, arguments.a2, arguments.a3, [], task)
    }

    static func renameat2(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno)
        -> Int
    {
        let flags = RenameFlags(rawValue: arguments.a4.asUInt32)
        guard flags.isSubset(of: [.noReplace, .exchange]), flags != [.noReplace, .exchange] else {
            throw .invalid
        }
        return try rename(arguments.a0, arguments.a1, arguments.a2, arguments.a3, flags, task)
    }

    private static func rename(
        _ oldDirectory: UInt, _ old: UInt, _ newDirectory: UInt, _ new: UInt, _ flags: RenameFlags,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let oldName = try pathName(old, task)
        let newName = try pathName(new, task)
        try Names.rename(
            oldName, try context(oldDirectory, for: oldName), to: newName,
            try context(newDirectory, for: newName),
            flags, task)
        return 0
    }
}
