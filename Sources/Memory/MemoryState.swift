// Everything the room remembers, in one place: found through `MemoryRoot`, it lies in the memory it manages.

import Machine
import Primitives
import Synchronization

/// Made once by `Frames.initialize`, at the start of the memory set aside for it; never moved or freed.
struct MemoryState: ~Copyable {
    let table: FrameTable
    /// Frames ever given to the allocator.
    let total = Atomic<Int>(0)
    /// Frames in the buddy allocator, without the CPUs' caches. Written with the buddy lock held.
    let free = Atomic<Int>(0)
    /// User programs get no frame while `free` is below this.
    let watermark = Atomic<Int>(0)
    /// Frames a CPU's cache may hold before it gives some back.
    let cacheLimit = Atomic<Int>(0)
    /// Frames in slabs and large blocks of the kernel heap.
    let heapFrames = Atomic<Int>(0)
    /// Interrupts off.
    let buddy: SpinLock<Buddy>
    /// One for each size class; interrupts off. Inside a class's lock the buddy lock may be taken.
    let slabs: SlabClasses
    /// The CPUs' caches, by CPU number; 0 before a CPU's first use. Added with `buddy` held.
    let caches: CacheDirectory

    /// The kernel's half of the page tables. Interrupts off.
    let kernelTables = SpinLock(KernelTables())
    /// Root of the page table that maps the kernel alone, 0 before `KernelPageTable.initialize`.
    let kernelRoot = Atomic<UInt64>(0)

    /// The frame that all pages only read so far share.
    let zeroFrame = Atomic<UInt32>(0)

    init(_ table: FrameTable, slabs: SlabClasses, caches: CacheDirectory) {
        self.table = table
        self.slabs = slabs
        self.caches = caches
        buddy = SpinLock(Buddy(table))
    }

    /// The state of this machine.
    @inline(__always)
    static var current: UnsafeMutablePointer<MemoryState> {
        guard let root = unsafe MemoryRoot.pointer else { beforeInitialization() }
        // `Frames.initialize` put a MemoryState there.
        return unsafe root.assumingMemoryBound(to: MemoryState.self)
    }

    @inline(never)
    private static func beforeInitialization() -> Never {
        memoryPanic("memory used before Frames.initialize")
    }
}

/// Ends the kernel with a message of the memory room: the report of the invalid instruction that follows shows the rest.
@inline(never)
func memoryPanic(_ message: LogMessage) -> Never {
    printk(.emergency, message)
    fatalError()
}
