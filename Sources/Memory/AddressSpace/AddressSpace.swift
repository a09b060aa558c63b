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
    /// Counts the changes that translations must be forgotten for.
    let generation = Atomic<UInt64>(1)
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
        // Behind the caller's last atomic read-modify-write: see `AddressSpace.flush`.
        mask[word: 0] = word0.load(ordering: .sequentiallyConsistent)
        mask[word: 1] = word1.load(ordering: .sequentiallyConsistent)
        mask[word: 2] = word2.load(ordering: .sequentiallyConsistent)
        mask[word: 3] = word3.load(ordering: .sequentiallyConsistent)
        return mask
    }

    @inline(__always)
    var isEmpty: Bool { mask.isEmpty }
}
