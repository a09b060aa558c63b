// Page faults, with the address space's lock held.

import Machine
import Primitives
import Synchronization

/// What an access wants to do with a page.
public enum FaultAccess: Sendable {
    case read, write, execute
}

/// What becomes of a page fault.
public enum FaultResult: Equatable, Sendable {
    /// The access may be tried again.
    case resolved
    /// The program gets this signal with this code (`SIGSEGV` or `SIGBUS`) and the address; an access of the kernel's
    /// fails.
    case signal(number: Int32, code: Int32)
    /// There is no memory for user programs.
    case outOfMemory

    static let notMapped = FaultResult.signal(number: 11, code: 1)  // SIGSEGV, SEGV_MAPERR
    static let forbidden = FaultResult.signal(number: 11, code: 2)  // SIGSEGV, SEGV_ACCERR
    static let behindEnd = FaultResult.signal(number: 7, code: 2)  // SIGBUS, BUS_ADRERR
}

/// What one look at a fault comes to.
enum FaultStep {
    case done(FaultResult)
    /// The object must be asked for a page, which may sleep.
    case needsPage(PageRequest)
}

/// A page of an object, and the object's generation before it was asked for.
struct PageRequest {
    let object: MemoryObject
    let index: Int
    let access: PageAccess
    let generation: UInt64
}

/// A frame that an object gave for a request, with one count; `frame` becomes nil when the count is used.
struct SuppliedPage {
    let request: PageRequest
    var frame: Frame?
}

extension PageTableEntry {
    /// For a user page with the rights of `protection`; writable only if asked for.
    @inline(__always)
    static func user(_ frame: Frame, _ protection: Protection, writable: Bool, _ more: Flags = []) -> Self {
        var flags: UInt64 = (Flags([.user, .accessed]).rawValue) | more.rawValue
        if !protection.isEmpty { flags |= Flags.present.rawValue }
        if writable { flags |= Flags([.writable, .dirty]).rawValue }
        if !protection.contains(.execute) { flags |= Flags.noExecute.rawValue }
        return Self(frame.address.value | flags)
    }
}

extension SpaceState {
    /// Resolves a fault at `address`, or says what it takes.
    @inline(__always)
    mutating func fault(
        _ address: UInt, _ access: FaultAccess, _ supplied: inout SuppliedPage?, _ space: AddressSpace
    ) -> FaultStep {
        guard let region = unsafe regions.firstEndingBehind(address) else { return .done(.notMapped) }
        if unsafe region.pointee.start > address {
            guard unsafe growDown(region, to: address) else { return .done(.notMapped) }
        }
        let protection = unsafe region.pointee.attributes.protection
        guard Self.allows(protection, access) else { return .done(.forbidden) }
        guard let slot = unsafe table.userEntry(at: address, &usage.tablePages) else {
            return .done(.outOfMemory)
        }
        let entry = unsafe slot.pointee
        if entry.value == 0 {
            if unsafe region.pointee.object == nil {
                return unsafe .done(anonymous(region, slot, access, protection))
            }
            return unsafe object(region, slot, address, access, &supplied)
        }
        if access == .write, !entry.isWritable {
            return unsafe .done(writeProtected(region, slot, address, space))
        }
        // Another CPU was faster, or this one remembered older rights.
        TLBHooks.invalidateHere(address, address &+ pageSize)
        return .done(.resolved)
    }

    /// The processor cannot forbid reading what may be written or executed.
    @inline(__always)
    private static func allows(_ protection: Protection, _ access: FaultAccess) -> Bool {
        switch access {
        case .read: !protection.isEmpty
        case .write: protection.contains(.write)
        case .execute: protection.contains(.execute)
        }
    }

    // MARK: Nothing there yet

    @inline(__always)
    private mutating func anonymous(
        _ region: RegionTree.Node, _ slot: PageTable.Slot, _ access: FaultAccess, _ protection: Protection
    ) -> FaultResult {
        guard access == .write else {
            unsafe slot.pointee = .user(Self.zeroFrame, protection, writable: false, .special)
            return .resolved
        }
        guard let frame = Frames.allocateZeroed(use: .user) else { return .outOfMemory }
        unsafe region.pointee.attributes.flags.insert(.hasPrivatePages)
        unsafe slot.pointee = .user(frame, protection, writable: true, .anonymous)
        usage.anonymousPages &+= 1
        notePeak()
        return .resolved
    }

    /// The frame that all pages only read so far share.
    @inline(__always)
    static var zeroFrame: Frame {
        unsafe Frame(MemoryState.current.pointee.zeroFrame.load(ordering: .relaxed))
    }

    /// Neighbours that are there already are mapped too, up to 16 pages around: most faults on files are saved so.
    private mutating func object(
        _ region: RegionTree.Node, _ slot: PageTable.Slot, _ address: UInt, _ access: FaultAccess,
        _ supplied: inout SuppliedPage?
    ) -> FaultStep {
        let object = unsafe region.pointee.object.unsafelyUnwrapped
        let index = unsafe region.pointee.page(at: address)
        let isShared = unsafe region.pointee.isShared
        guard index >= 0, index < object.pageCount else { return .done(.behindEnd) }
        let wanted: PageAccess = isShared && access == .write ? .write : .read
        let window: UInt = 16 &* pageSize
        let single = access == .write && !isShared
        let low = unsafe single ? address : max(address & ~(window &- 1), region.pointee.start)
        let high =
            unsafe single
            ? address &+ pageSize : min((address & ~(window &- 1)) &+ window, region.pointee.end)
        var batch = unsafe FrameBatch(
            first: region.pointee.page(at: low), count: Int(bitPattern: (high &- low) / pageSize))
        object.residentFrames(for: wanted, into: &batch)
        let place = Int(bitPattern: (address &- low) / pageSize)
        if batch[place] == nil { batch[place] = Self.take(&supplied, object, index, wanted) }
        guard let frame = batch[place] else {
            unsafe mapAround(region, slot - place, batch, but: place)
            return .needsPage(
                PageRequest(object: object, index: index, access: wanted, generation: object.generation))
        }
        if single { return unsafe .done(copy(frame, region, slot)) }
        unsafe mapAround(region, slot - place, batch, but: -1)
        return .done(.resolved)
    }

    /// The frame that was supplied, if it is for this page and still the object's.
    private static func take(
        _ supplied: inout SuppliedPage?, _ object: MemoryObject, _ index: Int, _ access: PageAccess
    ) -> Frame? {
        guard let page = supplied, page.request.object === object, page.request.index == index,
            page.request.access == access, page.request.generation == object.generation
        else { return nil }
        supplied?.frame = nil
        return page.frame
    }

    /// Maps the frames of `batch` where nothing is yet, `slots` being the entry of its first page; all but number
    /// `skipped`.
    private mutating func mapAround(
        _ region: RegionTree.Node, _ slots: PageTable.Slot, _ batch: borrowing FrameBatch, but skipped: Int
    ) {
        let protection = unsafe region.pointee.attributes.protection
        let writable = unsafe region.pointee.isShared && protection.contains(.write)
        var mapped = 0
        for index in 0..<batch.count {
            guard let frame = batch[index] else { continue }
            if index != skipped, unsafe slots[index].value == 0 {
                unsafe slots[index] = .user(frame, protection, writable: writable)
                mapped &+= 1
            } else {
                Frames.release(frame)
            }
        }
        if mapped > 0 {
            unsafe countObject(region.pointee.object, mapped)
            notePeak()
        }
    }

    /// Maps a private copy of `source`, of which one count is given up.
    private mutating func copy(_ source: Frame, _ region: RegionTree.Node, _ slot: PageTable.Slot)
        -> FaultResult
    {
        defer { Frames.release(source) }
        guard let frame = Frames.allocate(use: .user) else { return .outOfMemory }
        frame.copy(from: source)
        let protection = unsafe region.pointee.attributes.protection
        unsafe region.pointee.attributes.flags.insert(.hasPrivatePages)
        unsafe slot.pointee = .user(frame, protection, writable: true, .anonymous)
        usage.anonymousPages &+= 1
        notePeak()
        return .resolved
    }

    // MARK: There, but read-only

    private mutating func writeProtected(
        _ region: RegionTree.Node, _ slot: PageTable.Slot, _ address: UInt, _ space: AddressSpace
    ) -> FaultResult {
        let entry = unsafe slot.pointee
        let old = Frame(containing: entry.address)
        let isOwn = entry.contains(.anonymous) && Frames.count(of: old) == 1
        if unsafe isOwn || region.pointee.isShared {
            unsafe slot.pointee = entry.adding([.writable, .dirty])
            TLBHooks.invalidateHere(address, address &+ pageSize)
            return .resolved
        }
        let isZero = entry.contains(.special) && old == Self.zeroFrame
        guard let frame = isZero ? Frames.allocateZeroed(use: .user) : Frames.allocate(use: .user) else {
            return .outOfMemory
        }
        if !isZero { frame.copy(from: old) }
        let protection = unsafe region.pointee.attributes.protection
        unsafe region.pointee.attributes.flags.insert(.hasPrivatePages)
        unsafe slot.pointee = .user(frame, protection, writable: true, .anonymous)
        // Other threads may still be reading the old frame through their TLBs.
        space.flush(address, address &+ pageSize)
        unsafe count(entry, region.pointee.object, -1)
        usage.anonymousPages &+= 1
        notePeak()
        if !entry.contains(.special) { Frames.release(old) }
        return .resolved
    }

    // MARK: Stacks

    /// How far a stack keeps from what lies below it (Linux: 256 pages).
    static let stackGuardGap: UInt = 256 &* pageSize

    /// Lets a stack grow down to the page at `address`, below its start.
    private mutating func growDown(_ region: RegionTree.Node, to address: UInt) -> Bool {
        guard unsafe region.pointee.attributes.flags.contains(.growsDown), address >= AddressSpace.lowest
        else { return false }
        let size = unsafe region.pointee.end &- address
        let growth = unsafe region.pointee.start &- address
        guard size <= limits.stack else { return false }
        if let below = unsafe region.pointee.previous {
            // A region nobody may touch is guard enough.
            let gap = unsafe below.pointee.attributes.protection.isEmpty ? 0 : Self.stackGuardGap
            guard unsafe address >= below.pointee.end, unsafe address &- below.pointee.end >= gap else {
                return false
            }
        }
        guard (try? checkRoom(for: growth)) != nil else { return false }
        unsafe regions.resize(region, address, region.pointee.end)
        addPages(growth)
        return true
    }
}
