// The pages of a file in a RAM file system, as its readers, writers and mappings see them.

import Memory
import Primitives
import Synchronization

/// Pages that count against the file system's limit.
final class RAMFileObject: PagedObject, @unchecked Sendable {
    private let ram: RAMFileSystem
    private let inode: UInt64
    /// Pages that the file system counts for this file.
    private let counted = Atomic<Int>(0)
    /// The name of the file when it was last mapped, for `/proc/PID/maps`. Task context.
    private let name = SpinLock<[UInt8]>([])

    init(_ fileSystem: RAMFileSystem, inode: UInt64) {
        ram = fileSystem
        self.inode = inode
        super.init(pageCount: 0)
    }

    deinit { ram.countPages(0 &- counted.load(ordering: .relaxed)) }

    override var mappingName: [UInt8] { name.withLock { $0 } }
    override var deviceNumber: UInt64 { UInt64(ram.device.encoded) }
    override var inodeNumber: UInt64 { inode }

    /// Says under which name the file is being mapped.
    func setMappingName(_ new: [UInt8]) {
        _ = name.withLock { name in
            let old = name
            name = new
            return old
        }
    }

    /// For a page fault: a page that is not there yet counts.
    override func frame(
        at index: Int, for access: PageAccess, _ task: borrowing TaskContext
    ) throws(Errno) -> Frame {
        if let frame = residentFrame(at: index) { return frame }
        guard index < pageCount else { throw .badAddress }
        return try newFrame(at: index)
    }

    /// A page that is not there yet, all zero; ENOSPC at the file system's limit.
    func newFrame(at index: Int) throws(Errno) -> Frame {
        guard ram.hasRoom else { throw .noSpace }
        let frame = try makeFrame(at: index)
        settle()
        return frame
    }

    /// A page of its own, not cleared, for somebody who fills it and then lets the file adopt it.
    func unfilledFrame() throws(Errno) -> Frame {
        guard ram.hasRoom else { throw .noSpace }
        guard let frame = Frames.allocate(use: .user) else { throw .noMemory }
        return frame
    }

    /// Makes the file system's count what it should be.
    func settle() {
        let now = residentCount
        let before = counted.exchange(now, ordering: .relaxed)
        if now != before { ram.countPages(now &- before) }
    }

    override func punchHole(_ first: Int, _ end: Int, _ task: borrowing TaskContext) throws(Errno) {
        try super.punchHole(first, end, task)
        settle()
    }

    /// Cuts or lengthens the file. The inode's mutex is held.
    func setSize(_ size: Int) {
        truncate(toByteCount: size)
        settle()
    }
}
