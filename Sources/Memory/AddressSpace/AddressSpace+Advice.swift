// What a program says about its pages: madvise(2), and what else gives pages up.

import Machine
import Primitives

extension AddressSpace {
    /// Gives up the pages of a range (`MADV_DONTNEED`, `MADV_FREE`): private memory reads as zero or as the file again.
    /// `.noMemory` if part of the range is not mapped, after the rest is done; `.invalid` where pages are locked.
    public func discardPages(_ start: UInt, length: UInt) throws(Errno) {
        guard start & (pageSize &- 1) == 0, let size = Self.roundUp(length) else { throw .invalid }
        let (end, wraps) = start.addingReportingOverflow(size)
        guard !wraps else { throw .invalid }
        var batch = FlushBatch(self)
        try state.withLock { (state) throws(Errno) in
            defer { batch.flush() }
            try state.discard(start, min(end, Self.highest), &batch)
            if end > Self.highest { throw .noMemory }
        }
    }

    /// Punches holes into the objects mapped shared in a range (`MADV_REMOVE`). `.invalid` for private memory, `.noMemory`
    /// for what is not mapped. May sleep.
    public func punchHoles(
        _ start: UInt, length: UInt, _ task: borrowing TaskContext
    ) throws(Errno) {
        let end = try Self.rangeEnd(start, length)
        var address = start
        while address < end {
            let part = try state.withLock { (state) throws(Errno) -> (MemoryObject, Int, Int, UInt) in
                guard let node = unsafe state.regions.containing(address) else { throw .noMemory }
                let flags = unsafe node.pointee.attributes.flags
                guard let object = unsafe node.pointee.object, flags.contains(.shared),
                    !flags.contains(.locked)
                else { throw .invalid }
                guard unsafe node.pointee.attributes.maximum.contains(.write) else { throw .accessDenied }
                let stop = unsafe min(node.pointee.end, end)
                return unsafe (object, node.pointee.page(at: address), node.pointee.page(at: stop), stop)
            }
            try part.0.punchHole(part.1, part.2, task)
            address = part.3
        }
    }

    /// Takes the pages `first` ..< `end` of `object` out of this address space; false, and nothing done, when its lock is
    /// taken. For `MemoryObject.discard`.
    func tryDiscard(_ object: MemoryObject, _ first: Int, _ end: Int, privateToo: Bool) -> Bool {
        let done: Void? = state.tryWithLock { state in
            var batch = FlushBatch(self)
            state.discard(object, first, end, privateToo: privateToo, &batch)
            batch.flush()
        }
        return done != nil
    }
}

extension SpaceState {
    fileprivate mutating func discard(
        _ start: UInt, _ end: UInt, _ batch: inout FlushBatch
    ) throws(Errno) {
        var address = start
        var isWhole = true
        while address < end {
            guard let node = unsafe regions.firstEndingBehind(address), unsafe node.pointee.start < end else {
                break
            }
            if unsafe node.pointee.start > address { isWhole = false }
            if unsafe node.pointee.attributes.flags.contains(.locked) { throw .invalid }
            let from = unsafe max(address, node.pointee.start)
            address = unsafe min(node.pointee.end, end)
            unsafe zap(from, address, node.pointee.object, &batch)
        }
        guard isWhole, address >= end else { throw .noMemory }
    }

    /// Takes an object's pages out of all regions that map it.
    fileprivate mutating func discard(
        _ object: MemoryObject, _ first: Int, _ end: Int, privateToo: Bool, _ batch: inout FlushBatch
    ) {
        var each = unsafe regions.first
        while let node = unsafe each {
            unsafe each = node.pointee.next
            guard unsafe node.pointee.object === object else { continue }
            let base = unsafe node.pointee.pageOffset
            let start = unsafe node.pointee.start
            let pages = unsafe Int(bitPattern: (node.pointee.end &- start) / pageSize)
            let from = max(first, base)
            let to = min(end, base &+ pages)
            guard from < to else { continue }
            zap(
                start &+ UInt(bitPattern: from &- base) &* pageSize,
                start &+ UInt(bitPattern: to &- base) &* pageSize, object, &batch, privateToo: privateToo)
        }
    }
}
