// A regular file of a RAM file system.
//
// Readers take no mutex: they see each page as it is, and the size as it was when they began. Writers and those who
// change the size hold the inode's mutex, so that writes are whole and appending ones do not overwrite each other.

import Memory
import Primitives
import Synchronization

final class RAMFile: Inode, @unchecked Sendable {
    let pages: RAMFileObject
    private let byteCount = Atomic<Int>(0)
    private let sealWord = Atomic<UInt32>(0)

    /// The largest file: what page numbers and offsets can say.
    static let maximumSize = Int.max - 4096

    init(_ fileSystem: RAMFileSystem, mode: FileMode, owner: FileOwner, links: UInt32 = 1) {
        let number = fileSystem.nextNumber()
        pages = RAMFileObject(fileSystem, inode: number)
        super.init(
            fileSystem, number: number, mode: mode, userID: owner.userID, groupID: owner.groupID, links: links
        )
    }

    @inline(__always)
    final var byteSize: Int { byteCount.load(ordering: .acquiring) }

    override var size: Int { byteSize }
    override var blocks: Int { pages.residentCount * 8 }
    override var sealBits: UInt32 {
        get { sealWord.load(ordering: .relaxed) }
        set { sealWord.store(newValue, ordering: .relaxed) }
    }
    override var memoryObject: MemoryObject? { pages }

    override func open(_ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext) throws(Errno) -> File
    {
        RAMOpenFile(self, path, flags)
    }

    override func truncate(to size: Int, _ task: borrowing TaskContext) throws(Errno) {
        guard size >= 0 else { throw .invalid }
        guard size <= Self.maximumSize else { throw .fileTooLarge }
        // Shrinking: nobody reads behind the new end once the pages go.
        byteCount.store(size, ordering: .releasing)
        pages.setSize(size)
        touchModified()
    }

    // MARK: Reading

    /// Copies from `position` on, to the end of the file at most; returns how many bytes.
    func read(
        into buffer: inout IOBuffer, at position: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let size = byteSize
        guard position < size else { return 0 }
        var left = min(buffer.remaining, size &- position)
        var at = position
        while left > 0 {
            let offset = at & 4095
            let count = min(4096 &- offset, left)
            let copied: Int
            do throws(Errno) {
                copied = try readPage(into: &buffer, at >> 12, offset, count, task)
            } catch {
                guard at > position else { throw error }
                break
            }
            at &+= copied
            left &-= copied
            if copied < count { break }
        }
        return at &- position
    }

    @inline(__always)
    private func readPage(
        into buffer: inout IOBuffer, _ page: Int, _ offset: Int, _ count: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard let frame = pages.residentFrame(at: page) else { return try buffer.putZeros(count, task) }
        defer { Frames.release(frame) }
        return try buffer.put(frame, offset, count, task)
    }

    // MARK: Writing

    /// Copies to `position` and behind; returns how many bytes. The mutex is held.
    func write(
        from buffer: inout IOBuffer, at position: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard position <= Self.maximumSize else { throw .fileTooLarge }
        var left = min(buffer.remaining, Self.maximumSize &- position)
        var at = position
        while left > 0 {
            let offset = at & 4095
            let count = min(4096 &- offset, left)
            let copied: Int
            do throws(Errno) {
                copied = try writePage(from: &buffer, at >> 12, offset, count, task)
            } catch {
                guard at > position else { throw error }
                break
            }
            at &+= copied
            left &-= copied
            extend(to: at)
            if copied < count { break }
        }
        touchModified()
        return at &- position
    }

    /// The file is at least `size` bytes long.
    @inline(__always)
    private func extend(to size: Int) {
        guard size > byteSize else { return }
        pages.grow(toPageCount: (size &+ 4095) >> 12)
        byteCount.store(size, ordering: .releasing)
    }

    @inline(__always)
    private func writePage(
        from buffer: inout IOBuffer, _ page: Int, _ offset: Int, _ count: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        if let frame = pages.residentFrame(at: page) {
            defer { Frames.release(frame) }
            return try buffer.take(into: frame, offset, count, task)
        }
        if count == 4096 { return try writeWholePage(from: &buffer, page, task) }
        let frame = try pages.newFrame(at: page)
        defer { Frames.release(frame) }
        return try buffer.take(into: frame, offset, count, task)
    }

    /// Fills a page that is not there yet without clearing it first.
    private func writeWholePage(
        from buffer: inout IOBuffer, _ page: Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let frame = try pages.unfilledFrame()
        let copied: Int
        do throws(Errno) {
            copied = try buffer.take(into: frame, 0, 4096, task)
        } catch {
            Frames.free(frame)
            throw error
        }
        if copied < 4096 { frame.clear(from: copied) }
        if pages.adopt(frame, at: page) {
            pages.settle()
            return copied
        }
        // A page fault was faster: its page gets the bytes.
        defer { Frames.free(frame) }
        guard let other = pages.residentFrame(at: page) else { return 0 }
        defer { Frames.release(other) }
        other.copy(from: frame)
        return copied
    }
}

extension Frame {
    /// Clears the frame from a byte on.
    func clear(from start: Int) {
        guard start >= 0, start < 4096 else { return }
        // Inside the frame, which the caller owns.
        unsafe (pointer + start).initializeMemory(as: UInt8.self, repeating: 0, count: 4096 - start)
    }
}
