// Objects whose pages live in memory and nowhere else: shared anonymous memory, and what files of a RAM file
// system keep their bytes in. A page never written is a hole and reads as zero.

import Machine
import Primitives
import Synchronization

/// Frames by page number under a spin lock; the size is kept by page.
open class PagedObject: MemoryObject, @unchecked Sendable {
    private struct Pages: ~Copyable {
        var tree = PageTree()
    }

    /// Task context; nothing sleeps under it. May be taken with an address space's lock held.
    private let pages = SpinLock(Pages())
    /// Pages that may be mapped; changed by `resize` and, upwards, by anybody who holds the file's own lock.
    private let limit: Atomic<Int>

    /// An object of `pageCount` pages, all holes.
    public init(pageCount: Int) {
        limit = Atomic(pageCount)
        super.init()
    }

    deinit {
        pages.withLock { pages in pages.tree.remove(0) { Frames.release($1) } }
    }

    override open var pageCount: Int { limit.load(ordering: .acquiring) }

    override open var isSharedMemory: Bool { true }

    /// Pages that are no holes.
    public final var residentCount: Int { pages.withLock { $0.tree.count } }

    /// The frame of page `index` with one count for the caller; made if it is a hole. Pages behind `pageCount` too: the caller
    /// grows the object. `.noMemory` when user programs get no more.
    override open func frame(
        at index: Int, for access: PageAccess, _ task: borrowing TaskContext
    ) throws(Errno) -> Frame {
        try makeFrame(at: index)
    }

    /// The same from any context that may allocate, never sleeping.
    public final func makeFrame(at index: Int) throws(Errno) -> Frame {
        guard index >= 0 else { throw .invalid }
        if let frame = residentFrame(at: index) { return frame }
        guard let new = Frames.allocateZeroed(use: .user) else { throw .noMemory }
        let other = pages.withLock { pages -> Frame? in
            if let frame = pages.tree[index] {
                Frames.retain(frame)
                return frame
            }
            // One count for the object, one for the caller.
            Frames.retain(new)
            pages.tree.insert(index, new)
            return nil
        }
        guard let other else { return new }
        Frames.freeZeroed(new)
        return other
    }

    /// The frame of page `index` with one count for the caller; nil for a hole.
    public final func residentFrame(at index: Int) -> Frame? {
        pages.withLock { pages in
            guard let frame = pages.tree[index] else { return nil }
            Frames.retain(frame)
            return frame
        }
    }

    override open func residentFrames(for access: PageAccess, into frames: inout FrameBatch) {
        let count = min(frames.count, pageCount &- frames.first)
        pages.withLock { pages in
            var index = 0
            while index < count {
                if let frame = pages.tree[frames.first &+ index] {
                    Frames.retain(frame)
                    frames[index] = frame
                }
                index &+= 1
            }
        }
    }

    /// Enters a frame that the caller owns alone as page `index`; the object takes over its count. False, and nothing
    /// done, when the page is there already.
    public final func adopt(_ frame: Frame, at index: Int) -> Bool {
        pages.withLock { pages in
            guard index >= 0, pages.tree[index] == nil else { return false }
            pages.tree.insert(index, frame)
            return true
        }
    }

    /// The first page from `index` up that is no hole; nil if there is none.
    public final func nextResident(from index: Int) -> Int? { pages.withLock { $0.tree.next(from: index) } }

    /// Allows pages up to `pageCount`; never fewer than before.
    public final func grow(toPageCount pageCount: Int) {
        limit.max(pageCount, ordering: .releasing)
    }

    /// Makes the object `byteCount` bytes long: pages behind are given up here and in every mapping, and the rest of the
    /// last page is cleared. The caller keeps writers out. No spin lock held.
    public final func truncate(toByteCount byteCount: Int) {
        let pageCount = byteCount / 4096 + (byteCount & 4095 == 0 ? 0 : 1)
        let old = limit.exchange(pageCount, ordering: .acquiringAndReleasing)
        if byteCount & 4095 != 0, let last = residentFrame(at: byteCount / 4096) {
            let offset = byteCount & 4095
            // Inside the frame, of which this function has a count.
            unsafe (last.pointer + offset).initializeMemory(
                as: UInt8.self, repeating: 0, count: 4096 - offset)
            Frames.release(last)
        }
        if pageCount < old { drop(pageCount, .max, privateToo: true) }
    }

    override open func punchHole(_ first: Int, _ end: Int, _ task: borrowing TaskContext) throws(Errno) {
        drop(first, end, privateToo: false)
    }

    /// Gives up pages here, then in all mappings.
    private func drop(_ first: Int, _ end: Int, privateToo: Bool) {
        pages.withLock { pages in pages.tree.remove(first, end) { Frames.release($1) } }
        discard(first, end, privateToo: privateToo)
    }
}
