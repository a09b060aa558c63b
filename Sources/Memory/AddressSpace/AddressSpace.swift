// The memory of a user program: its regions, the page table that says which of their pages are there, and the
// rules by which missing ones come.
//
//   page fault → region → rights → what is there now?
//     nothing, anonymous    read: the zero page; write: a fresh zero frame
//     nothing, of an object read or shared: the object's frame, with neighbours that are at hand; private write: a copy
//     read-only, private    alone on the frame: write on; else copy it
//
// Invariants, all guarded by `state`'s spin lock (task context, interrupts on; nothing under it sleeps):
// an entry that is not zero lies in a region; it is writable only if the region is, and of a private region only
// if its frame is anonymous and this address space its only owner; each entry that is not `special` has one count on its
// frame. A frame is given back only after no CPU can use an old translation to it.

import Machine
import Primitives
import Synchronization

public final class AddressSpace: @unchecked Sendable {
    /// Never used twice.
    let number: UInt64
    /// The page table's root.
    let root: PhysicalAddress
    /// CPUs that have the page table loaded.
    let cpus = AtomicCPUMask()
    let state: SpinLock<SpaceState>

    private static let lastNumber = Atomic<UInt64>(0)

    /// First address a program may map without asking for trouble (`vm.mmap_min_addr`).
    public static let lowest: UInt = 0x10000
    /// First address it may not: one page below the kernel stays free.
    public static let highest: UInt = KernelLayout.userEnd &- pageSize
    /// Regions of one address space.
    static let maximumRegions = 262_144

    /// An address space with nothing in it. `.noMemory` when user programs get no more.
    public init() throws(Errno) {
        guard let frame = Frames.allocateZeroed(use: .user) else { throw .noMemory }
        KernelPageTable.share(with: frame.address)
        root = frame.address
        number = Self.lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        state = unsafe SpinLock(SpaceState(PageTable(root: frame.address)))
    }

    /// Gives everything back. Task context, or any where objects' references may be dropped.
    deinit {
        leaveEverywhere()
        state.withLock { $0.tearDown(self) }
        KernelPageTable.unshare(root)
        Frames.freeZeroed(Frame(containing: root))
    }

    // MARK: Which page table a CPU uses

    /// What `CPUArea.addressSpace` holds while this address space is loaded.
    @inline(__always)
    var identity: UInt { unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

    /// Makes this CPU use the address space. For the scheduler, which keeps it alive until another is activated or
    /// `leave` called; nothing happens if it is loaded already.
    @inline(__always)
    public func activate(_ off: borrowing InterruptsOff) {
        let old = CPUArea.addressSpace
        guard old != identity else { return }
        // In the set before the page table is used: who changes the table afterwards knows of this CPU.
        cpus.insert(CPU.index)
        Translation.load(root)
        CPUArea.addressSpace = identity
        if old != 0 { unsafe Self.at(old)._withUnsafeGuaranteedRef { $0.cpus.remove(CPU.index) } }
    }

    /// Makes this CPU use the kernel's own page table.
    public static func leave(_ off: borrowing InterruptsOff) {
        let old = CPUArea.addressSpace
        guard old != 0 else { return }
        Translation.load(KernelPageTable.root)
        CPUArea.addressSpace = 0
        unsafe at(old)._withUnsafeGuaranteedRef { $0.cpus.remove(CPU.index) }
    }

    /// The same, if the address space loaded is the one that `TLBHooks.shootdown` named.
    public static func leave(_ identity: UInt, _ off: borrowing InterruptsOff) {
        if CPUArea.addressSpace == identity { leave(off) }
    }

    /// An address space that some CPU has loaded is alive: `deinit` begins with `leaveEverywhere`.
    @inline(__always)
    static func at(_ identity: UInt) -> Unmanaged<AddressSpace> {
        unsafe Unmanaged.fromOpaque(UnsafeRawPointer(bitPattern: identity).unsafelyUnwrapped)
    }

    private func leaveEverywhere() {
        if cpus.isEmpty { return }
        withPreemptionOff { _ in
            withInterruptsOff { off in Self.leave(identity, off) }
            let others = cpus.mask
            if !others.isEmpty { TLBHooks.shootdown(identity, 0, others) }
        }
    }

    /// The address space this CPU has loaded, for the running thread: its thread keeps it alive.
    @inline(__always)
    public static var current: AddressSpace? {
        let identity = CPUArea.addressSpace
        return identity == 0 ? nil : unsafe at(identity).takeUnretainedValue()
    }

    // MARK: Forgetting translations

    /// Makes all CPUs that use the address space forget the pages `start` ..< `end`. Preemption off, interrupts on.
    @inline(__always)
    func flush(_ start: UInt, _ end: UInt) {
        // The table's changes are seen before the set of CPUs is read (see `activate`).
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        var others = cpus.mask
        if others.isEmpty { return }
        if others.contains(CPU.index) {
            TLBHooks.invalidateHere(start, end)
            others.remove(CPU.index)
            if others.isEmpty { return }
        }
        TLBHooks.shootdown(start, end, others)
    }
}

/// A set of CPUs that changes under others' eyes.
struct AtomicCPUMask: ~Copyable {
    private let word0 = Atomic<UInt64>(0)
    private let word1 = Atomic<UInt64>(0)
    private let word2 = Atomic<UInt64>(0)
    private let word3 = Atomic<UInt64>(0)

    @inline(__always)
    func insert(_ cpu: Int) {
        let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: cpu & 63)
        switch cpu &>> 6 {
        case 0: word0.bitwiseOr(bit, ordering: .sequentiallyConsistent)
        case 1: word1.bitwiseOr(bit, ordering: .sequentiallyConsistent)
        case 2: word2.bitwiseOr(bit, ordering: .sequentiallyConsistent)
        default: word3.bitwiseOr(bit, ordering: .sequentiallyConsistent)
        }
    }

    @inline(__always)
    func remove(_ cpu: Int) {
        let rest = ~(1 &<< UInt64(truncatingIfNeeded: cpu & 63) as UInt64)
        switch cpu &>> 6 {
        case 0: word0.bitwiseAnd(rest, ordering: .releasing)
        case 1: word1.bitwiseAnd(rest, ordering: .releasing)
        case 2: word2.bitwiseAnd(rest, ordering: .releasing)
        default: word3.bitwiseAnd(rest, ordering: .releasing)
        }
    }

    @inline(__always)
    var mask: CPUMask {
        var mask = CPUMask()
        mask[word: 0] = word0.load(ordering: .acquiring)
        mask[word: 1] = word1.load(ordering: .acquiring)
        mask[word: 2] = word2.load(ordering: .acquiring)
        mask[word: 3] = word3.load(ordering: .acquiring)
        return mask
    }

    @inline(__always)
    var isEmpty: Bool { mask.isEmpty }
}
