// An open regular file of a RAM file system.

import Memory
import Primitives

final class RAMOpenFile: File, @unchecked Sendable {
    private let file: RAMFile

    init(_ inode: RAMFile, _ path: Path?, _ flags: OpenFlags) {
        file = inode
        super.init(inode, path, flags)
    }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let count = try file.read(into: &buffer, at: position, task)
        position &+= count
        touchAccessed()
        return count
    }

    override func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let start = position
        let end = try file.withMutex(task) { () throws(Errno) in
            let at = flags.contains(.append) ? file.byteSize : start
            try FileSizeLimit.apply(to: &buffer, at)
            try file.checkSeals(writingTo: at &+ buffer.remaining)
            let count = try file.write(from: &buffer, at: at, task)
            if file.permissions & (FileMode.setUserID | FileMode.setGroupID) != 0 {
                Names.dropSetIdentity(file, Caller.credentials)
            }
            return (at &+ count, count)
        }
        position = end.0
        return end.1
    }

    override func seek(_ offset: Int, _ origin: SeekOrigin, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    {
        guard origin == .data || origin == .hole else { return try super.seek(offset, origin, task) }
        let size = file.byteSize
        guard offset >= 0, offset < size else { throw .noSuchDevice }
        let found = origin == .data ? data(from: offset) : hole(from: offset, size)
        guard let found, found < size || origin == .hole else { throw .noSuchDevice }
        position = found
        return found
    }

    private func data(from offset: Int) -> Int? {
        guard let page = file.pages.nextResident(from: offset >> 12) else { return nil }
        return max(page << 12, offset)
    }

    private func hole(from offset: Int, _ size: Int) -> Int {
        var page = offset >> 12
        while file.pages.nextResident(from: page) == page { page &+= 1 }
        return min(max(page << 12, offset), size)
    }

    override func memoryObject(_ task: borrowing TaskContext) throws(Errno) -> MemoryObject {
        if let path { file.pages.setMappingName(PathName.shown(path)) }
        return file.pages
    }

    override func allocate(
        _ mode: AllocationMode, _ offset: Int, _ count: Int, _ task: borrowing TaskContext
    ) throws(Errno) {
        try file.withMutex(task) { () throws(Errno) in
            if mode.contains(.punchHole) || !mode.contains(.keepSize) {
                try file.checkSeals(writingTo: mode.contains(.punchHole) ? 0 : offset &+ count)
            }
            try file.allocate(mode, offset, count, task)
        }
    }

    override func synchronize(_ task: borrowing TaskContext) throws(Errno) {}
}
