// Slabs: a block of one or two frames cut into objects of one size. All book-keeping is in the records
// of the slab's frames, so an object's address alone leads to its size: no headers, no padding.

import Machine
import Primitives
import Synchronization

/// The slabs of one size class that have free objects. Guarded by the class's lock, interrupts off.
struct SlabClass: ~Copyable {
    private let number: Int
    /// First of the slabs with some objects free and some out; full slabs are in no list, empty ones go back.
    private var partial: UInt32 = 0

    init(_ number: Int) { self.number = number }

    /// Up to `wanted` objects, linked through their first words; fewer only if memory is exhausted.
    mutating func allocate(_ wanted: Int, _ state: UnsafeMutablePointer<MemoryState>) -> ObjectList {
        var list = ObjectList()
        while list.count < wanted {
            if partial == 0 {
                guard let slab = unsafe make(state) else { break }
                unsafe state.pointee.table.push(slab, &partial)
            }
            unsafe take(from: partial, wanted, into: &list, state)
        }
        return list
    }

    private mutating func take(
        from slab: UInt32, _ wanted: Int, into list: inout ObjectList,
        _ state: UnsafeMutablePointer<MemoryState>
    ) {
        let table = unsafe state.pointee.table
        let base = unsafe Frame(slab).pointer
        let size = SizeClass.size(number)
        var next = table[slab].freeObject
        var taken: UInt32 = 0
        while next != 0, list.count < wanted {
            // Free objects hold the number of the next one in their first word.
            let object = unsafe base + (Int(next) &- 1) &* size
            next = unsafe object.load(as: UInt16.self)
            unsafe list.push(object)
            taken &+= 1
        }
        table[slab].freeObject = next
        let count = table[slab].count.load(ordering: .relaxed)
        table[slab].count.store(count &+ taken, ordering: .relaxed)
        if next == 0 { table.remove(slab, &partial) }
    }

    /// A new slab with all its objects free.
    private func make(_ state: UnsafeMutablePointer<MemoryState>) -> UInt32? {
        let order = SizeClass.slabOrder(number)
        guard let frame = Frames.allocate(order: order)?.number else { return nil }
        let table = unsafe state.pointee.table
        for each in 0..<UInt32(1 << order) {
            table[frame &+ each].kind = .slab
            table[frame &+ each].order = UInt8(truncatingIfNeeded: number)
        }
        let base = unsafe Frame(frame).pointer
        let size = SizeClass.size(number)
        let objects = SizeClass.objectsPerSlab(number)
        for object in 0..<objects {
            let next = object &+ 1 == objects ? 0 : UInt16(truncatingIfNeeded: object &+ 2)
            unsafe (base + object &* size).storeBytes(of: next, as: UInt16.self)
        }
        table[frame].freeObject = 1
        table[frame].count.store(0, ordering: .relaxed)
        unsafe state.pointee.heapFrames.wrappingAdd(1 << order, ordering: .relaxed)
        return frame
    }

    /// Takes an object back into its slab; an empty slab goes back to the frame allocator.
    mutating func free(_ object: UnsafeMutableRawPointer, _ state: UnsafeMutablePointer<MemoryState>) {
        let table = unsafe state.pointee.table
        let order = SizeClass.slabOrder(number)
        let frame = unsafe Frame(containing: PhysicalAddress(directMapped: object)).number
        let slab = frame & ~(1 << UInt32(order) &- 1)
        let offset = unsafe object - Frame(slab).pointer
        let size = SizeClass.size(number)
        let index = offset / size
        let count = table[slab].count.load(ordering: .relaxed)
        guard index &* size == offset, count > 0 else {
            memoryPanic("kernel heap: free of \(hex: UInt(bitPattern: object)), which is not an object")
        }
        let wasFull = table[slab].freeObject == 0
        unsafe object.storeBytes(of: table[slab].freeObject, as: UInt16.self)
        table[slab].freeObject = UInt16(truncatingIfNeeded: index &+ 1)
        table[slab].count.store(count &- 1, ordering: .relaxed)
        if count == 1 {
            if !wasFull { table.remove(slab, &partial) }
            unsafe release(slab, state)
        } else if wasFull {
            table.push(slab, &partial)
        }
    }

    private func release(_ slab: UInt32, _ state: UnsafeMutablePointer<MemoryState>) {
        let order = SizeClass.slabOrder(number)
        let table = unsafe state.pointee.table
        for each in 0..<UInt32(1 << order) { table[slab &+ each].kind = .none }
        table[slab].kind = .allocated
        table[slab].order = UInt8(truncatingIfNeeded: order)
        table[slab].count.store(1, ordering: .relaxed)
        unsafe state.pointee.heapFrames.wrappingSubtract(1 << order, ordering: .relaxed)
        Frames.free(Frame(slab), order: order)
    }
}

extension ObjectList {
    @inline(__always)
    mutating func push(_ object: UnsafeMutableRawPointer) {
        unsafe object.storeBytes(of: head, as: UnsafeMutableRawPointer?.self)
        unsafe head = object
        count &+= 1
    }

    /// The list is not empty.
    @inline(__always)
    mutating func pop() -> UnsafeMutableRawPointer {
        let object = unsafe head.unsafelyUnwrapped
        unsafe head = object.load(as: UnsafeMutableRawPointer?.self)
        count &-= 1
        return unsafe object
    }
}

/// The classes, each under its lock.
@safe struct SlabClasses {
    /// `SizeClass.count` locks in memory set aside at boot.
    private let base: UnsafeMutablePointer<SpinLock<SlabClass>>

    static var byteCount: Int { MemoryLayout<SpinLock<SlabClass>>.stride * SizeClass.count }

    init(at memory: UnsafeMutableRawPointer) {
        unsafe base = memory.bindMemory(to: SpinLock<SlabClass>.self, capacity: SizeClass.count)
        for number in 0..<SizeClass.count {
            unsafe (base + number).initialize(to: SpinLock(SlabClass(number)))
        }
    }

    @inline(__always)
    subscript(_ number: Int) -> SpinLock<SlabClass> {
        unsafeAddress {
            precondition(number < SizeClass.count)
            return unsafe UnsafePointer(base + number)
        }
    }
}
