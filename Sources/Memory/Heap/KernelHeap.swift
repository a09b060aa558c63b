// The kernel heap: where `posix_memalign` and `free` of the Swift runtime end. Small objects come from
// slabs through lists that each CPU keeps for itself; more than 2 KiB is a block of frames. Interrupts are off
// for the few instructions that touch the CPU's lists, so tasks, soft IRQs and code with interrupts off may allocate. A
// hard interrupt must not (it costs time nobody accounted for), and is reported.
//
// A free object holds the next one's address in its first word and a mark in its second, by which a
// double free is known.

import Machine
import Primitives
import Synchronization

public enum KernelHeap {
    /// In the second word of a free object, mixed with its address.
    private static let freeMark: UInt = 0xf4ee_0b1e_c7de_ad5e

    /// `size` bytes at a multiple of `alignment` (a power of two). Task or soft-IRQ context, interrupts on or
    /// off. Never fails: with no memory left the kernel ends, after `MemoryHooks.outOfMemory` could do
    /// nothing more. About 25 instructions up to 2 KiB.
    @inline(__always)
    @unsafe public static func allocate(_ size: Int, alignment: Int = 16) -> UnsafeMutableRawPointer {
        guard alignment <= 16, UInt(bitPattern: size) <= UInt(SizeClass.largest) else {
            return unsafe allocateUncommon(size, alignment: alignment)
        }
        return unsafe allocateSmall(size)
    }

    /// `size` is at most `SizeClass.largest`.
    @inline(__always)
    private static func allocateSmall(_ size: Int) -> UnsafeMutableRawPointer {
        if PreemptCount.inHardInterrupt { reportHardInterrupt() }
        return unsafe withInterruptsOff { off in
            let cache = unsafe CPUCache.current(off)
            let number = unsafe Int(cache.pointee.classes[(size &+ 15) &>> 4])
            if unsafe cache.pointee.objects[number].head == nil { unsafe refill(number, cache) }
            let object = unsafe cache.pointee.objects[number].pop()
            unsafe object.storeBytes(of: 0, toByteOffset: 8, as: UInt.self)
            return unsafe object
        }
    }

    /// Gives back what `allocate` returned. Same contexts; about 25 instructions up to 2 KiB.
    @inline(__always)
    @unsafe public static func free(_ pointer: UnsafeMutableRawPointer) {
        let state = unsafe MemoryState.current
        let frame = unsafe PhysicalAddress(directMapped: pointer).value &>> 12
        let table = unsafe state.pointee.table
        guard frame < UInt64(table.limit), table[UInt32(truncatingIfNeeded: frame)].kind == .slab else {
            return unsafe freeUncommon(pointer)
        }
        if PreemptCount.inHardInterrupt { reportHardInterrupt() }
        let number = Int(table[UInt32(truncatingIfNeeded: frame)].order)
        withInterruptsOff { off in
            let mark = UInt(bitPattern: pointer) ^ freeMark
            if unsafe pointer.load(fromByteOffset: 8, as: UInt.self) == mark { unsafe doubleFree(pointer) }
            unsafe pointer.storeBytes(of: mark, toByteOffset: 8, as: UInt.self)
            let cache = unsafe CPUCache.current(off)
            unsafe cache.pointee.objects[number].push(pointer)
            if unsafe cache.pointee.objects[number].count > SizeClass.cacheLimit(number) {
                unsafe drain(number, to: SizeClass.cacheLimit(number) / 2, cache)
            }
        }
    }

    /// Usable bytes of an allocation.
    @unsafe public static func size(of pointer: UnsafeMutableRawPointer) -> Int {
        let state = unsafe MemoryState.current
        let info = unsafe Frame(containing: PhysicalAddress(directMapped: pointer)).number
        let table = unsafe state.pointee.table
        return table[info].kind == .slab
            ? SizeClass.size(Int(table[info].order)) : 4096 << Int(table[info].order)
    }

    /// Bytes of memory in slabs and large blocks.
    public static var byteCount: Int {
        unsafe MemoryState.current.pointee.heapFrames.load(ordering: .relaxed) * 4096
    }

    // MARK: Between a CPU's lists and the slabs

    /// Fills an empty list with half of what a CPU may keep. Interrupts off.
    @inline(never)
    private static func refill(_ number: Int, _ cache: UnsafeMutablePointer<CPUCache>) {
        let state = unsafe MemoryState.current
        while true {
            let list = unsafe state.pointee.slabs[number].withLockInterruptsOff { slabs, _ in
                unsafe slabs.allocate(SizeClass.cacheLimit(number) / 2, state)
            }
            if list.count > 0 {
                unsafe cache.pointee.objects[number] = list
                return
            }
            OutOfMemory.kernelNeeds(bytes: SizeClass.size(number))
        }
    }

    /// Gives objects back to their slabs until `kept` are left. Interrupts off.
    @inline(never)
    private static func drain(_ number: Int, to kept: Int, _ cache: UnsafeMutablePointer<CPUCache>) {
        let state = unsafe MemoryState.current
        unsafe state.pointee.slabs[number].withLockInterruptsOff { slabs, _ in
            while unsafe cache.pointee.objects[number].count > kept {
                unsafe slabs.free(cache.pointee.objects[number].pop(), state)
            }
        }
    }

    /// Gives all that this CPU keeps back to the slabs, and empty slabs to the frame allocator.
    public static func drainThisCPU() {
        withInterruptsOff { off in
            let cache = unsafe CPUCache.current(off)
            for number in 0..<SizeClass.count { unsafe drain(number, to: 0, cache) }
        }
    }

    // MARK: The uncommon ways

    @inline(never)
    private static func allocateUncommon(_ size: Int, alignment: Int) -> UnsafeMutableRawPointer {
        let size = max(size, alignment)
        if size <= SizeClass.largest {
            // Objects of a power of two's size lie at multiples of it.
            return unsafe allocateSmall(1 << (Int.bitWidth - (size - 1).leadingZeroBitCount))
        }
        if PreemptCount.inHardInterrupt { reportHardInterrupt() }
        let frames = (size - 1) >> 12 + 1
        let order = Int.bitWidth - (frames - 1).leadingZeroBitCount
        guard order <= Buddy.maximumOrder else {
            memoryPanic("kernel heap: \(size) bytes asked for at once")
        }
        while true {
            if let frame = Frames.allocate(order: order) {
                unsafe MemoryState.current.pointee.heapFrames.wrappingAdd(1 << order, ordering: .relaxed)
                return unsafe frame.pointer
            }
            OutOfMemory.kernelNeeds(bytes: size)
        }
    }

    @inline(never)
    private static func freeUncommon(_ pointer: UnsafeMutableRawPointer) {
        if unsafe BootHeap.contains(pointer) { return }
        let state = unsafe MemoryState.current
        let table = unsafe state.pointee.table
        let address = unsafe PhysicalAddress(directMapped: pointer)
        let frame = Frame(containing: address)
        guard address.value < UInt64(table.limit) << 12, address.value & 4095 == 0,
            table[frame.number].kind == .allocated
        else {
            memoryPanic("kernel heap: free of \(hex: UInt(bitPattern: pointer)), which was not allocated")
        }
        let order = Int(table[frame.number].order)
        unsafe state.pointee.heapFrames.wrappingSubtract(1 << order, ordering: .relaxed)
        Frames.free(frame, order: order)
    }

    @inline(never)
    private static func doubleFree(_ pointer: UnsafeMutableRawPointer) -> Never {
        memoryPanic("kernel heap: double free of \(hex: UInt(bitPattern: pointer))")
    }

    private static let reported = Atomic<Bool>(false)

    @inline(never)
    private static func reportHardInterrupt() {
        if reported.exchange(true, ordering: .relaxed) { return }
        printk(.warning, "kernel heap used in a hard interrupt (preempt count \(hex: PreemptCount.value))")
    }
}
