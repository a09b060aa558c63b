// What each CPU keeps at hand of free frames and of free heap objects, so that the locks are rarely taken.
// Touched by its own CPU only, with interrupts off; others read the counts for statistics.

import Machine
import Primitives
import Synchronization

/// One frame of memory for each CPU, made at its first use and kept for ever.
struct CPUCache: ~Copyable {
    static let frameCapacity = 128
    static let zeroedCapacity = 32

    /// Free frames, the last one put in first out.
    var frames = InlineArray<128, UInt32>(repeating: 0)
    var frameCount = 0
    /// Free frames known to be all zero.
    var zeroed = InlineArray<32, UInt32>(repeating: 0)
    var zeroedCount = 0
    /// Free heap objects of each size class.
    var objects = InlineArray<24, ObjectList>(repeating: ObjectList())
    /// Size class of each size, in units of 16 bytes (see `SizeClass`).
    var classes = SizeClass.makeTable()

    /// This CPU's cache.
    @inline(__always)
    static func current(_ off: borrowing InterruptsOff) -> UnsafeMutablePointer<CPUCache> {
        if let cache = unsafe UnsafeMutablePointer<CPUCache>(bitPattern: CPUArea.memoryCache) {
            return unsafe cache
        }
        return unsafe make()
    }

    @inline(never)
    private static func make() -> UnsafeMutablePointer<CPUCache> {
        let state = unsafe MemoryState.current
        let frame = unsafe state.pointee.buddy.withLockInterruptsOff { buddy, _ in
            let frame = unsafe Frames.take(&buddy, order: 0, state)
            if let frame { unsafe state.pointee.caches.add(frame, cpu: CPU.index, state) }
            return frame
        }
        guard let frame else { memoryPanic("no memory for the caches of CPU \(CPU.index)") }
        // A whole frame that is nobody else's, and larger than a cache.
        let cache = unsafe Frame(frame).pointer.bindMemory(to: CPUCache.self, capacity: 1)
        unsafe cache.initialize(to: CPUCache())
        CPUArea.memoryCache = UInt(bitPattern: cache)
        return unsafe cache
    }
}

/// Free heap objects of one size, linked through their first words.
@safe struct ObjectList {
    var head: UnsafeMutableRawPointer?
    var count = 0
}
