// What the kernel knows about each frame: 16 bytes a frame, in one table indexed by frame number.

import Machine
import Synchronization

/// What a frame is used for.
enum FrameKind: UInt8 {
    /// Not memory, reserved at boot, or not the first frame of its block.
    case none = 0
    /// First frame of a free block of the buddy allocator.
    case free
    /// Free, in the cache of some CPU.
    case cached
    /// First frame of a block somebody owns.
    case allocated
    /// Part of a slab of the kernel heap.
    case slab
}

/// A frame's record; all zero means `none`. Who may write which field depends on `kind`: of a
/// free block the buddy lock's holder, of a cached frame its CPU, of an allocated one its owner, of a
/// slab the holder of its class's lock. `count` is anybody's who holds a count.
struct FrameInfo: ~Copyable {
    /// Neighbours in a list of free blocks or of slabs: frame numbers, 0 for none.
    var next: UInt32
    var previous: UInt32
    /// Owners of an allocated frame; of a slab, how many of its objects are out.
    let count: Atomic<UInt32>
    var kind: FrameKind
    /// Of a block: log2 of its frames. Of a slab: its size class.
    var order: UInt8
    /// Of a slab: its first free object's number plus one, 0 for none.
    var freeObject: UInt16
}

/// The records of all frames below `limit`.
@safe struct FrameTable: Copyable {
    /// Memory of its own that nothing else uses, zeroed at boot.
    private let base: UnsafeMutablePointer<FrameInfo>
    /// One more than the highest frame number.
    let limit: UInt32

    init(base: UnsafeMutableRawPointer, limit: UInt32) {
        unsafe self.base = base.bindMemory(to: FrameInfo.self, capacity: Int(limit))
        self.limit = limit
    }

    static var bytesPerFrame: Int { MemoryLayout<FrameInfo>.stride }

    @inline(__always)
    subscript(_ frame: UInt32) -> FrameInfo {
        unsafeAddress {
            precondition(frame < limit, "frame beyond the memory")
            return unsafe UnsafePointer(base + Int(frame))
        }
        nonmutating unsafeMutableAddress {
            precondition(frame < limit, "frame beyond the memory")
            return unsafe base + Int(frame)
        }
    }

    /// Puts `frame` first in the list that begins at `head`.
    @inline(__always)
    func push(_ frame: UInt32, _ head: inout UInt32) {
        self[frame].next = head
        self[frame].previous = 0
        if head != 0 { self[head].previous = frame }
        head = frame
    }

    /// Takes `frame` out of the list that begins at `head`.
    @inline(__always)
    func remove(_ frame: UInt32, _ head: inout UInt32) {
        let next = self[frame].next
        let previous = self[frame].previous
        if previous == 0 { head = next } else { self[previous].next = next }
        if next != 0 { self[next].previous = previous }
    }
}
