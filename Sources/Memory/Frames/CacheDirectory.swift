// Where each CPU's cache is, for those who count what the caches hold.

import Machine
import Synchronization

/// Addresses of the CPUs' caches, by CPU number.
@safe struct CacheDirectory {
    /// `maximumCPUs` words in memory set aside at boot, zero until a CPU's first use.
    private let base: UnsafeMutablePointer<Atomic<UInt>>

    static var byteCount: Int { MemoryLayout<Atomic<UInt>>.stride * maximumCPUs }

    init(at memory: UnsafeMutableRawPointer) {
        unsafe base = memory.bindMemory(to: Atomic<UInt>.self, capacity: maximumCPUs)
        for cpu in 0..<maximumCPUs { unsafe (base + cpu).initialize(to: Atomic(0)) }
    }

    private func cache(_ cpu: Int) -> UnsafeMutablePointer<CPUCache>? {
        unsafe UnsafeMutablePointer(bitPattern: (base + cpu).pointee.load(ordering: .acquiring))
    }

    /// Enters the cache of `cpu`, which lies in `frame`, and divides what all caches together may hold (1/64 of
    /// the memory) anew. With the buddy lock held.
    func add(_ frame: UInt32, cpu: Int, _ state: UnsafeMutablePointer<MemoryState>) {
        let address = unsafe UInt(bitPattern: Frame(frame).pointer)
        // `CPU.index` is below `maximumCPUs`.
        unsafe (base + cpu).pointee.store(address, ordering: .releasing)
        var count = 0
        for cpu in 0..<maximumCPUs where unsafe cache(cpu) != nil { count += 1 }
        let share = unsafe state.pointee.total.load(ordering: .relaxed) / 64 / count
        unsafe state.pointee.cacheLimit.store(
            min(max(share, 8), CPUCache.frameCapacity - 1), ordering: .relaxed)
    }

    /// Free frames in all caches.
    var frames: Int {
        var sum = 0
        for cpu in 0..<maximumCPUs {
            // A cache once entered stays; its counts are words read whole.
            if let cache = unsafe cache(cpu) {
                unsafe sum += cache.pointee.frameCount + cache.pointee.zeroedCount
            }
        }
        return sum
    }
}
