// What has been taken out of a page table and may still be in some CPU's TLB: kept here until all CPUs have
// forgotten it, and only then given back.

import Machine
import Primitives

/// Collects while the address space's lock is held; flushes by itself when full, and at `finish`.
@safe struct FlushBatch: ~Copyable {
    private static let capacity = 62

    /// Not counted: the batch lives inside a function of the address space.
    private let space: Unmanaged<AddressSpace>
    /// Numbers of frames; of page tables (all zero) with the top bit set.
    private var frames = InlineArray<62, UInt32>(repeating: 0)
    private var count = 0
    /// What the CPUs have to forget.
    private var start: UInt = .max
    private var end: UInt = 0
    /// Page tables are among the frames.
    private var hasTables = false
    /// Regions taken out, linked by `next`; released after the lock.
    private var regions: RegionTree.Link = nil

    private static let tableMark: UInt32 = 1 << 31

    @inline(__always)
    init(_ space: AddressSpace) { unsafe self.space = Unmanaged.passUnretained(space) }

    /// The translations of `start` ..< `end` have changed.
    @inline(__always)
    mutating func touch(_ start: UInt, _ end: UInt) {
        self.start = min(self.start, start)
        self.end = max(self.end, end)
    }

    /// One count of `frame`, which was mapped at `address`, to be given back.
    @inline(__always)
    mutating func add(_ frame: Frame, at address: UInt) {
        touch(address, address &+ pageSize)
        add(frame.number)
    }

    /// A page table, all zero, through which nothing is reached any more.
    mutating func addTable(_ frame: Frame, _ start: UInt) {
        // Any invalidation drops what the CPU remembers of upper levels (Intel SDM volume 3, 4.10.4.1).
        touch(start, start &+ pageSize)
        hasTables = true
        add(frame.number | Self.tableMark)
    }

    @inline(__always)
    private mutating func add(_ number: UInt32) {
        frames[count] = number
        count &+= 1
        if count == Self.capacity { flush() }
    }

    /// A region no longer in the tree.
    mutating func add(region: RegionTree.Node) {
        unsafe region.pointee.next = regions
        unsafe regions = region
    }

    /// With the address space's lock held: all CPUs forget, frames go back.
    mutating func flush() {
        if start < end {
            unsafe space._withUnsafeGuaranteedRef { $0.flush(start, end, freesTables: hasTables) }
            start = .max
            end = 0
            hasTables = false
        }
        for index in 0..<count {
            let number = frames[index]
            if number & Self.tableMark != 0 {
                Frames.freeZeroed(Frame(number & ~Self.tableMark))
            } else {
                Frames.release(Frame(number))
            }
        }
        count = 0
    }

    /// After the lock: drops what the regions refer to.
    mutating func releaseRegions() {
        while let region = unsafe regions {
            unsafe regions = region.pointee.next
            unsafe RegionTree.release(region)
        }
    }
}
