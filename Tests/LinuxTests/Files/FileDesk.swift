// A machine with a root file system, for tests of the file side: names in, results out.

import Machine
import Memory
@_spi(ContextEntry) import Primitives
import Tasks

@testable import Linux

/// What a test works with.
struct FileDesk {
    let root: Path
    var credentials = Credentials()
    var start: Path
    var umask: UInt32 = 0

    /// Runs `body` at a machine of its own, with an empty RAM file system as root.
    static func run(pageLimit: Int = 1000, nodeLimit: Int = 200_000, _ body: (inout FileDesk) throws -> Void)
        throws
    {
        let bytes = 64 << 20
        SimulatedCPU(index: 0, memory: SimulatedMemory(byteCount: bytes)).bind()
        Frames.initialize(
            usable: [PhysicalRange(start: 0, end: UInt64(bytes))],
            reserved: [PhysicalRange(start: 0, end: 2 << 20)])
        Scheduler.boot(cpuCount: 1)
        Scheduler.enterCPU()
        var options = RAMFileSystem.Options()
        options.pageLimit = pageLimit
        options.nodeLimit = nodeLimit
        options.rootPermissions = 0o755
        let fileSystem = RAMFileSystem(options, isPermanent: true)
        let root = Names.mountRoot(fileSystem, source: [], TaskContext())
        var desk = FileDesk(root: root, start: root)
        try body(&desk)
    }

    var context: NameContext { NameContext(root: root, start: start, credentials: credentials, umask: umask) }

    static func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

    mutating func become(user: UInt32, group: UInt32 = 100, groups: [UInt32] = []) {
        credentials = Credentials()
        credentials.fileUserID = user
        credentials.effectiveUserID = user
        credentials.fileGroupID = group
        credentials.setGroups(groups)
    }

    // MARK: What programs do; each answers with the error or nil

    private func attempt(_ body: () throws(Errno) -> Void) -> Errno? {
        do throws(Errno) {
            try body()
            return nil
        } catch { return error }
    }

    func make(_ name: String, _ mode: FileMode, device: DeviceNumber = .none) -> Errno? {
        attempt { () throws(Errno) in
            _ = try Names.makeNode(Self.bytes(name), mode: mode, device: device, context, TaskContext())
        }
    }

    func mkdir(_ name: String, _ permissions: UInt32 = 0o755) -> Errno? {
        make(name, FileMode(.directory, permissions))
    }

    func symlink(_ target: String, _ name: String) -> Errno? {
        attempt { () throws(Errno) in
            _ = try Names.makeSymbolicLink(Self.bytes(name), to: Self.bytes(target), context, TaskContext())
        }
    }

    func link(_ old: String, _ new: String) -> Errno? {
        attempt { () throws(Errno) in
            let path = try Names.find(Self.bytes(old), [], context, TaskContext())
            try Names.makeLink(to: path, Self.bytes(new), context, TaskContext())
        }
    }

    func unlink(_ name: String) -> Errno? {
        attempt { () throws(Errno) in try Names.unlink(Self.bytes(name), context, TaskContext()) }
    }

    func rmdir(_ name: String) -> Errno? {
        attempt { () throws(Errno) in try Names.removeDirectory(Self.bytes(name), context, TaskContext()) }
    }

    func rename(_ old: String, _ new: String, _ flags: RenameFlags = []) -> Errno? {
        attempt { () throws(Errno) in
            try Names.rename(Self.bytes(old), context, to: Self.bytes(new), context, flags, TaskContext())
        }
    }

    func find(_ name: String, _ flags: LookupFlags = .follow) throws(Errno) -> Path {
        try Names.find(Self.bytes(name), flags, context, TaskContext())
    }

    func error(_ name: String, _ flags: LookupFlags = .follow) -> Errno? {
        attempt { () throws(Errno) in _ = try find(name, flags) }
    }

    func open(_ name: String, _ flags: OpenFlags = [], _ permissions: UInt32 = 0o644) throws(Errno) -> File {
        try Names.open(Self.bytes(name), flags, permissions: permissions, context, TaskContext())
    }

    func openError(_ name: String, _ flags: OpenFlags = [], _ permissions: UInt32 = 0o644) -> Errno? {
        attempt { () throws(Errno) in _ = try open(name, flags, permissions) }
    }

    func touch(_ name: String, _ permissions: UInt32 = 0o644) -> Errno? {
        openError(name, [.create, .writeOnly], permissions)
    }

    func exists(_ name: String) -> Bool { error(name, []) == nil }

    // MARK: Contents

    static func write(_ file: File, _ bytes: [UInt8], at position: Int? = nil) throws(Errno) -> Int {
        var bytes = bytes
        var span = bytes.mutableSpan
        return try unsafe span.withUnsafeMutableBytes { (memory) throws(Errno) -> Int in
            var buffer = unsafe IOBuffer(kernel: memory)
            var at = position ?? file.position
            let count = try file.write(from: &buffer, at: &at, TaskContext())
            if position == nil { file.position = at }
            return count
        }
    }

    static func read(_ file: File, _ count: Int, at position: Int? = nil) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xee, count: count)
        var span = bytes.mutableSpan
        let done = try unsafe span.withUnsafeMutableBytes { (memory) throws(Errno) -> Int in
            var buffer = unsafe IOBuffer(kernel: memory)
            var at = position ?? file.position
            let count = try file.read(into: &buffer, at: &at, TaskContext())
            if position == nil { file.position = at }
            return count
        }
        return [UInt8](bytes.prefix(done))
    }

    func list(_ name: String, bufferSize: Int = 4096) throws(Errno) -> [String] {
        let file = try open(name, .directory)
        var names: [String] = []
        while true {
            var buffer = DirectoryBuffer(capacity: bufferSize)
            try file.readDirectory(into: &buffer, TaskContext())
            let batch = Self.names(in: buffer.bytes)
            if batch.isEmpty { return names }
            names += batch
        }
    }

    static func names(in bytes: [UInt8]) -> [String] {
        var names: [String] = []
        var at = 0
        while at < bytes.count {
            let length = Int(bytes[at + 16]) | Int(bytes[at + 17]) << 8
            names.append(String(decoding: bytes[(at + 19)..<(at + length)].prefix { $0 != 0 }, as: UTF8.self))
            at += length
        }
        return names
    }
}

extension TaskContext {
    /// Tests run in task context.
    static var forTests: TaskContext {
        @_lifetime(immortal) get { TaskContext() }
    }
}
