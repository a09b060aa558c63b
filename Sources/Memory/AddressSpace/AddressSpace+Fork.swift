// A copy of an address space for a new process: private pages are shared until one of the two writes to them
// (copy-on-write).

import Machine
import Primitives
import Synchronization

extension AddressSpace {
    /// A copy with the same mappings. `.noMemory` when user programs get no more. Only private pages are
    /// copied (their entries, made read-only in both); what an object has is faulted in again when the child wants it.
    ///
    /// Cost: about 100 instructions a region and 20 a private page.
    public func fork() throws(Errno) -> AddressSpace {
        let child = try AddressSpace()
        var batch = FlushBatch(self)
        try state.withLock { (state) throws(Errno) in
            // The parent's writable translations must be gone before its lock is, whatever happens.
            defer { batch.flush() }
            // Parents come before children, and nobody forks the child yet.
            try child.state.withLockNested { (new) throws(Errno) in
                defer { new.regions.rebuild() }
                new.inherit(from: state)
                var each = unsafe state.regions.first
                while let node = unsafe each {
                    unsafe each = node.pointee.next
                    try unsafe new.clone(node, from: state.table, child, &batch)
                }
            }
        }
        return child
    }
}

extension SpaceState {
    fileprivate mutating func inherit(from parent: borrowing SpaceState) {
        limits = parent.limits
        heapStart = parent.heapStart
        heapEnd = parent.heapEnd
        mapTop = parent.mapTop
    }

    /// Enters a copy of the parent's region `node`; `batch` notes which of the parent's pages are read-only now.
    fileprivate mutating func clone(
        _ node: RegionTree.Node, from parent: PageTable, _ child: AddressSpace, _ batch: inout FlushBatch
    ) throws(Errno) {
        var attributes = unsafe node.pointee.attributes
        if attributes.flags.contains(.notForked) { return }
        guard Frames.userMayAllocate else { throw .noMemory }
        attributes.flags.remove(.locked)
        if attributes.flags.contains(.wipedOnFork) { attributes.flags.remove(.hasPrivatePages) }
        let start = unsafe node.pointee.start
        let end = unsafe node.pointee.end
        unsafe regions.append(
            RegionTree.make(RegionNode(start, end, attributes, node.pointee.object, node.pointee.pageOffset)))
        unsafe node.pointee.object?.addMapping(child)
        addPages(end &- start)
        guard attributes.flags.contains(.hasPrivatePages) else { return }
        try unsafe sharePages(start, end, node.pointee.object, parent, &batch)
    }

    /// Enters what the parent's table has of a private region, read-only in both.
    private mutating func sharePages(
        _ start: UInt, _ end: UInt, _ object: MemoryObject?, _ parent: PageTable, _ batch: inout FlushBatch
    ) throws(Errno) {
        var anonymous = 0
        var others = 0
        defer {
            usage.anonymousPages &+= anonymous
            if others > 0 { countObject(object, others) }
            notePeak()
        }
        let frames = unsafe MemoryState.current.pointee.table
        try unsafe parent.forEachLeaf(start, end) { (address, slot, count) throws(Errno) in
            var mine: PageTable.Slot? = nil
            for index in 0..<count {
                var entry = unsafe slot[index]
                guard entry.value != 0 else { continue }
                if unsafe mine == nil {
                    guard let made = unsafe table.userEntry(at: address, &usage.tablePages) else {
                        throw .noMemory
                    }
                    unsafe mine = made
                }
                if entry.isWritable {
                    entry = entry.removing(.writable)
                    unsafe slot[index] = entry
                    let page = address &+ UInt(bitPattern: index) &* pageSize
                    batch.touch(page, page &+ pageSize)
                }
                if !entry.contains(.special) {
                    frames[UInt32(truncatingIfNeeded: entry.address.value &>> 12)].count.wrappingAdd(
                        1, ordering: .relaxed)
                    if entry.contains(.anonymous) { anonymous &+= 1 } else { others &+= 1 }
                }
                unsafe mine.unsafelyUnwrapped[index] = entry
            }
        }
    }
}
