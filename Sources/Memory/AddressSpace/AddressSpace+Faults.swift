// The way of a page fault, from the address to a page or a signal.

import Machine
import Primitives

extension AddressSpace {
    /// Resolves a page fault of this address space's program, or of the kernel on its behalf. Interrupts on, no
    /// spin lock held. May sleep for a page of a file.
    ///
    /// Cost: about 200 instructions for a fresh page beside the 512 that clear it.
    public func handleFault(
        at address: VirtualAddress, access: FaultAccess, _ task: borrowing TaskContext
    ) -> FaultResult {
        let page = address.pageBase.value
        guard page < Self.highest else { return .notMapped }
        var none: SuppliedPage? = nil
        switch state.withLock({ $0.fault(page, access, &none, self) }) {
        case .done(let result): return result
        case .needsPage(let request): return handleFault(at: page, access, request, task)
        }
    }

    /// The same where the object has to be asked for the page, once or, if it changes meanwhile, more often.
    @inline(never)
    private func handleFault(
        at page: UInt, _ access: FaultAccess, _ first: PageRequest, _ task: borrowing TaskContext
    ) -> FaultResult {
        var request = first
        var supplied: SuppliedPage? = nil
        defer { if let frame = supplied?.frame { Frames.release(frame) } }
        while true {
            if let frame = supplied?.frame { Frames.release(frame) }
            supplied = nil
            do throws(Errno) {
                let frame = try request.object.frame(at: request.index, for: request.access, task)
                supplied = SuppliedPage(request: request, frame: frame)
            } catch {
                return error == .noMemory ? .outOfMemory : .behindEnd
            }
            switch state.withLock({ $0.fault(page, access, &supplied, self) }) {
            case .done(let result): return result
            case .needsPage(let next): request = next
            }
        }
    }

    /// The same for the address space that this CPU has loaded, which is the running thread's; without one no address
    /// is mapped.
    @inline(__always)
    public static func handleCurrentFault(
        at address: VirtualAddress, access: FaultAccess, _ task: borrowing TaskContext
    ) -> FaultResult {
        let identity = CPUArea.addressSpace
        guard identity != 0 else { return .notMapped }
        // The running thread keeps its address space alive, and it cannot change it meanwhile.
        return unsafe at(identity)._withUnsafeGuaranteedRef {
            $0.handleFault(at: address, access: access, task)
        }
    }

    /// Makes the pages of a range be there, as if each had been touched; ends at the first that cannot be
    /// (`MAP_POPULATE`, `mlock`, `MADV_POPULATE_*`). May sleep.
    @discardableResult
    public func populate(
        _ start: UInt, _ end: UInt, access: FaultAccess, _ task: borrowing TaskContext
    ) -> FaultResult {
        var page = start & ~(pageSize &- 1)
        while page < min(end, Self.highest) {
            let result = handleFault(at: VirtualAddress(page), access: access, task)
            guard result == .resolved else { return result }
            page &+= pageSize
        }
        return .resolved
    }

    /// The frame behind `address`, brought in if need be for `access`, with one count for the caller: for those who
    /// reach into another program's memory. `.badAddress` where that program itself could not; `.noMemory`. May sleep.
    public func pin(
        _ address: UInt, for access: FaultAccess, _ task: borrowing TaskContext
    ) throws(Errno) -> Frame {
        let page = address & ~(pageSize &- 1)
        while true {
            switch handleFault(at: VirtualAddress(page), access: access, task) {
            case .resolved: break
            case .outOfMemory: throw .noMemory
            case .signal: throw .badAddress
            }
            if let frame = try pinMapped(page, access) { return frame }
        }
    }

    /// The frame behind `page`, if it is there with the rights for `access`.
    private func pinMapped(_ page: UInt, _ access: FaultAccess) throws(Errno) -> Frame? {
        try state.withLock { (state) throws(Errno) -> Frame? in
            guard let slot = unsafe state.table.entry(at: page) else { return nil }
            let entry = unsafe slot.pointee
            guard entry.isPresent, access != .write || entry.isWritable else { return nil }
            let frame = Frame(containing: entry.address)
            // Of the special ones only the page of zeros is memory.
            guard !entry.contains(.special) || frame == SpaceState.zeroFrame else { throw .badAddress }
            Frames.retain(frame)
            return frame
        }
    }
}
