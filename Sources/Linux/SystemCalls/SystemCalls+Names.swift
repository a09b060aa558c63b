// What all calls with names and descriptors share: the name from the program's memory, where it begins, the file
// behind a descriptor.

import Memory
import Primitives

/// Flags of the `*at` calls (linux/fcntl.h).
struct AtFlags: OptionSet {
    let rawValue: UInt32
    static let noFollow = AtFlags(rawValue: 0x100)
    /// The same bit means AT_REMOVEDIR to unlinkat and AT_EACCESS to faccessat2.
    static let removeDirectory = AtFlags(rawValue: 0x200)
    static let effectiveAccess = AtFlags(rawValue: 0x200)
    static let follow = AtFlags(rawValue: 0x400)
    static let noAutomount = AtFlags(rawValue: 0x800)
    static let emptyPath = AtFlags(rawValue: 0x1000)
    static let statSync = AtFlags(rawValue: 0x6000)

    /// Flags of a call, of which only `known` are allowed.
    init(_ argument: UInt, known: AtFlags) throws(Errno) {
        rawValue = argument.asUInt32
        guard isSubset(of: known) else { throw .invalid }
    }

    init(rawValue: UInt32) { self.rawValue = rawValue }

    var lookup: LookupFlags {
        var flags: LookupFlags = contains(.noFollow) ? [] : .follow
        if contains(.emptyPath) { flags.insert(.allowEmpty) }
        return flags
    }
}

extension SystemCalls {
    /// The descriptor that means the working directory (AT_FDCWD), as an argument.
    static let workingDirectory = UInt(bitPattern: -100)
    /// Names with their zero are at most so long (PATH_MAX).
    static let pathLimit = 4096

    /// A name from the program's memory.
    @inline(__always)
    static func pathName(_ address: UInt, _ task: borrowing TaskContext) throws(Errno) -> [UInt8] {
        try UserMemory.string(at: address, limit: pathLimit, task)
    }

    /// Where a name begins: the root, the working directory or the directory behind a descriptor.
    static func context(_ descriptor: UInt, for name: [UInt8]) throws(Errno) -> NameContext {
        let current = LinuxTask.current
        let place = current.fileSystem.snapshot
        var start = place.working
        if name.first != UInt8(ascii: "/"), descriptor.asInt32 != -100 {
            guard let path = try current.files.file(descriptor.asInt32).path else { throw .notDirectory }
            start = path
        }
        return NameContext(
            root: place.root, start: start, credentials: current.credentials, umask: place.umask)
    }

    /// The file that a name means.
    static func find(
        _ descriptor: UInt, _ address: UInt, _ flags: LookupFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> (Path, NameContext) {
        let name = try pathName(address, task)
        let context = try context(descriptor, for: name)
        return (try Names.find(name, flags, context, task), context)
    }

    /// The file behind a descriptor, for calls that need more than its name: not opened with O_PATH.
    @inline(__always)
    static func file(_ descriptor: UInt) throws(Errno) -> File {
        let file = try LinuxTask.file(descriptor.asInt32)
        if file.isPathOnly { throw .badFileDescriptor }
        return file
    }

    /// The place behind a descriptor: for files without a name, a place of their own.
    static func path(of file: File) -> Path {
        if let path = file.path { return path }
        let entry = PathEntry(name: file.describe(), parent: nil, inode: file.inode)
        return Path(mount: Mount.nowhere, entry: entry)
    }

    /// RLIMIT_NOFILE.
    static var descriptorLimit: Int {
        let limit = LinuxTask.current.process.limit(.openFiles)
        return limit < UInt64(DescriptorTable.ceiling) ? Int(limit) : DescriptorTable.ceiling
    }
}
