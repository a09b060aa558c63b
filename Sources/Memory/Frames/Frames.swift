// The frame allocator's face. Single frames come from the CPU's own cache, a few instructions with
// interrupts off; blocks and refills from the buddy allocator under its lock.
//
// Any context but NMI may call, with interrupts on or off; hard interrupts should not (it costs time).
// A frame handed out has one count. Shared frames (copy-on-write, files' pages) are counted with `retain` and
// `release`; who owns a frame alone may also `free` it.

import Machine
import Primitives
import Synchronization

public enum Frames {
    /// The largest block: 2^10 frames, 4 MiB.
    public static let maximumOrder = Buddy.maximumOrder

    /// A block of 2^`order` frames aligned to its size, with whatever its last owner left in it; nil
    /// when there is none, or for `.user` when free memory is at the watermark.
    public static func allocate(order: Int = 0, use: FrameUse = .kernel) -> Frame? {
        guard order == 0 else { return allocateBlock(order: order, use: use) }
        return withInterruptsOff { off in
            let cache = unsafe CPUCache.current(off)
            let state = unsafe MemoryState.current
            if use == .user, unsafe state.pointee.isAtWatermark { return nil }
            if unsafe cache.pointee.frameCount == 0, unsafe !refill(cache, state) { return nil }
            let number = unsafe cache.pointee.popFrame()
            unsafe state.pointee.table.handOut(number, order: 0)
            return Frame(number)
        }
    }

    /// A frame all zero.
    public static func allocateZeroed(use: FrameUse = .kernel) -> Frame? {
        let known: Frame?? = withInterruptsOff { off in
            let cache = unsafe CPUCache.current(off)
            guard unsafe cache.pointee.zeroedCount > 0 else { return nil }
            let state = unsafe MemoryState.current
            if use == .user, unsafe state.pointee.isAtWatermark { return .some(nil) }
            let number = unsafe cache.pointee.popZeroed()
            unsafe state.pointee.table.handOut(number, order: 0)
            return Frame(number)
        }
        if let known { return known }
        guard let frame = allocate(use: use) else { return nil }
        frame.clear()
        return frame
    }

    /// Gives back a block with its only count. Ends the kernel, naming the frame, when it is free already or was
    /// never handed out with this order.
    public static func free(_ frame: Frame, order: Int = 0) {
        let state = unsafe MemoryState.current
        unsafe state.pointee.table.takeBack(frame.number, order: order)
        guard order == 0 else {
            return unsafe state.pointee.buddy.withLockInterruptsOff { buddy, _ in
                buddy.free(frame.number, order: order)
                unsafe state.pointee.free.store(buddy.freeFrames, ordering: .relaxed)
            }
        }
        withInterruptsOff { off in
            let cache = unsafe CPUCache.current(off)
            unsafe cache.pointee.pushFrame(frame.number)
            if unsafe cache.pointee.frameCount > state.pointee.cacheLimit.load(ordering: .relaxed) {
                unsafe drain(cache, to: cache.pointee.frameCount / 2, state)
            }
        }
    }

    /// Gives back a frame that is all zero, so that it need not be cleared again.
    public static func freeZeroed(_ frame: Frame) {
        let kept = withInterruptsOff { off in
            let cache = unsafe CPUCache.current(off)
            guard unsafe cache.pointee.zeroedCount < CPUCache.zeroedCapacity else { return false }
            let state = unsafe MemoryState.current
            unsafe state.pointee.table.takeBack(frame.number, order: 0)
            unsafe cache.pointee.pushZeroed(frame.number)
            return true
        }
        if !kept { free(frame) }
    }

    /// One owner more. The caller has a count, or a lock that keeps one from going.
    @inline(__always)
    public static func retain(_ frame: Frame) {
        unsafe MemoryState.current.pointee.table[frame.number].count.wrappingAdd(1, ordering: .relaxed)
    }

    /// One owner less; the last one frees the frame.
    @inline(__always)
    public static func release(_ frame: Frame) {
        let state = unsafe MemoryState.current
        // A sole owner needs no locked instruction: nobody else can be adding a count.
        let count = unsafe state.pointee.table[frame.number].count.load(ordering: .acquiring)
        if count == 1 { return free(frame) }
        let old = unsafe state.pointee.table[frame.number].count.wrappingSubtract(
            1, ordering: .acquiringAndReleasing
        ).oldValue
        if old == 1 { unsafe releaseLast(frame, state) } else if old == 0 { badRelease(frame) }
    }

    @inline(never)
    private static func releaseLast(_ frame: Frame, _ state: UnsafeMutablePointer<MemoryState>) {
        unsafe state.pointee.table[frame.number].count.store(1, ordering: .relaxed)
        free(frame)
    }

    /// Owners of an allocated frame.
    @inline(__always)
    public static func count(of frame: Frame) -> UInt32 {
        unsafe MemoryState.current.pointee.table[frame.number].count.load(ordering: .acquiring)
    }

    /// Frames that are free, those in the CPUs' caches included. Exact when nothing allocates meanwhile.
    public static var freeCount: Int {
        let state = unsafe MemoryState.current
        return unsafe state.pointee.free.load(ordering: .relaxed) + state.pointee.caches.frames
    }

    /// Frames there are, free or not.
    /// Free blocks of 2^order frames, without what the CPUs keep in their caches.
    public static func freeBlocks(order: Int) -> Int {
        unsafe MemoryState.current.pointee.buddy.withLockInterruptsOff { buddy, _ in buddy.counts[order] }
    }

    public static var totalCount: Int { unsafe MemoryState.current.pointee.total.load(ordering: .relaxed) }

    /// Whether user programs may still have memory: to be asked before the kernel's own memory grows on their behalf.
    @inline(__always)
    public static var userMayAllocate: Bool { unsafe !MemoryState.current.pointee.isAtWatermark }

    // MARK: Between the CPUs' caches and the buddy allocator

    @inline(never)
    private static func allocateBlock(order: Int, use: FrameUse) -> Frame? {
        guard order <= maximumOrder else { return nil }
        let state = unsafe MemoryState.current
        if use == .user, unsafe state.pointee.isAtWatermark { return nil }
        return unsafe state.pointee.buddy.withLockInterruptsOff { buddy, _ in
            unsafe take(&buddy, order: order, state).map { Frame($0) }
        }
    }

    /// A block from the buddy allocator, marked as handed out.
    static func take(
        _ buddy: inout Buddy, order: Int, _ state: UnsafeMutablePointer<MemoryState>
    ) -> UInt32? {
        guard let number = buddy.allocate(order: order) else { return nil }
        unsafe state.pointee.free.store(buddy.freeFrames, ordering: .relaxed)
        unsafe state.pointee.table.handOut(number, order: order)
        return number
    }

    /// Half a cache of frames; false if there are none at all. Interrupts off.
    @inline(never)
    private static func refill(
        _ cache: UnsafeMutablePointer<CPUCache>, _ state: UnsafeMutablePointer<MemoryState>
    ) -> Bool {
        let wanted = unsafe max(state.pointee.cacheLimit.load(ordering: .relaxed) / 2, 1)
        unsafe state.pointee.buddy.withLockInterruptsOff { buddy, _ in
            while unsafe cache.pointee.frameCount < wanted, let number = buddy.allocate(order: 0) {
                unsafe state.pointee.table[number].kind = .cached
                unsafe cache.pointee.pushFrame(number)
            }
            unsafe state.pointee.free.store(buddy.freeFrames, ordering: .relaxed)
        }
        if unsafe cache.pointee.frameCount == 0, unsafe cache.pointee.zeroedCount > 0 {
            unsafe cache.pointee.pushFrame(cache.pointee.popZeroed())
        }
        return unsafe cache.pointee.frameCount > 0
    }

    /// Interrupts off.
    @inline(never)
    private static func drain(
        _ cache: UnsafeMutablePointer<CPUCache>, to kept: Int, _ state: UnsafeMutablePointer<MemoryState>
    ) {
        unsafe state.pointee.buddy.withLockInterruptsOff { buddy, _ in
            while unsafe cache.pointee.frameCount > kept {
                unsafe buddy.free(cache.pointee.popFrame(), order: 0)
            }
            unsafe state.pointee.free.store(buddy.freeFrames, ordering: .relaxed)
        }
    }

    /// Gives what this CPU keeps back to the buddy allocator, so that it can merge. `freeCount` does not change.
    public static func drainThisCPU() {
        withInterruptsOff { off in
            let cache = unsafe CPUCache.current(off)
            let state = unsafe MemoryState.current
            while unsafe cache.pointee.zeroedCount > 0 {
                unsafe drain(cache, to: 0, state)
                unsafe cache.pointee.pushFrame(cache.pointee.popZeroed())
            }
            unsafe drain(cache, to: 0, state)
        }
    }

    @inline(never)
    private static func badRelease(_ frame: Frame) -> Never {
        memoryPanic("frame \(hex: frame.number): released more often than retained")
    }
}

extension Frame {
    /// Fills the frame with zeros: 512 words.
    @inline(__always)
    public func clear() {
        // A frame is one page of the direct map, and the caller owns it.
        unsafe pointer.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
    }

    /// Copies all of `other` here.
    @inline(__always)
    public func copy(from other: Frame) {
        // Two whole frames; they do not overlap.
        unsafe pointer.copyMemory(from: other.pointer, byteCount: 4096)
    }
}

extension MemoryState {
    @inline(__always)
    var isAtWatermark: Bool { free.load(ordering: .relaxed) < watermark.load(ordering: .relaxed) }
}

extension FrameTable {
    /// Marks a block as somebody's, with one count.
    @inline(__always)
    func handOut(_ frame: UInt32, order: Int) {
        self[frame].kind = .allocated
        self[frame].order = UInt8(truncatingIfNeeded: order)
        self[frame].count.store(1, ordering: .relaxed)
    }

    /// Marks a block as nobody's, having checked that it was somebody's.
    @inline(__always)
    func takeBack(_ frame: UInt32, order: Int) {
        guard frame < limit, self[frame].kind == .allocated, Int(self[frame].order) == order,
            self[frame].count.load(ordering: .relaxed) <= 1
        else { reportBadFree(frame, order) }
        self[frame].kind = .cached
        self[frame].count.store(0, ordering: .relaxed)
    }

    @inline(never)
    private func reportBadFree(_ frame: UInt32, _ order: Int) -> Never {
        guard frame < limit else { memoryPanic("frame \(hex: frame): bad free, beyond the memory") }
        let count = self[frame].count.load(ordering: .relaxed)
        switch self[frame].kind {
        case .free, .cached: memoryPanic("frame \(hex: frame): double free")
        case .none: memoryPanic("frame \(hex: frame): bad free, never handed out")
        case .slab: memoryPanic("frame \(hex: frame): bad free, belongs to the kernel heap")
        case .allocated:
            memoryPanic(
                "frame \(hex: frame): bad free with order \(order), \(count) owners; handed out with order \(self[frame].order)"
            )
        }
    }
}

extension CPUCache {
    @inline(__always)
    mutating func popFrame() -> UInt32 {
        frameCount &-= 1
        return frames[frameCount]
    }

    @inline(__always)
    mutating func pushFrame(_ frame: UInt32) {
        frames[frameCount] = frame
        frameCount &+= 1
    }

    @inline(__always)
    mutating func popZeroed() -> UInt32 {
        zeroedCount &-= 1
        return zeroed[zeroedCount]
    }

    @inline(__always)
    mutating func pushZeroed(_ frame: UInt32) {
        zeroed[zeroedCount] = frame
        zeroedCount &+= 1
    }
}
