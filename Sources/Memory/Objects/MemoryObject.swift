// What a mapping maps: a file, or memory shared between processes. The object owns its pages; each mapping of a
// page has a count of its own on the frame.
//
// An object knows the address spaces that map it, so that pages which it gives up (truncation, a hole)
// disappear from them all. The rule that makes this safe: whoever takes pages away first takes them out of the
// object, then calls `discard`. `discard` counts `generation` up before it looks into any address space; a page fault
// reads `generation` before it asks for a frame and, with its address space's lock held, again before it maps it, and
// begins anew if they differ. So a page is either not mapped or mapped in time to be found.

import Machine
import Primitives
import Synchronization

/// What a frame is wanted for.
public enum PageAccess: Sendable {
    case read
    /// The contents will change: a store through a shared mapping, or `write`.
    case write
}

/// A class of its own for each kind of file that can be mapped; subclasses override what they know better.
open class MemoryObject: @unchecked Sendable {
    /// Counts `discard`s.
    private let generationCounter = Atomic<UInt64>(0)
    /// Which address spaces map the object, and with how many regions each.
    private let mappers = SpinLock(MapperList())

    public init() {}

    // MARK: What subclasses say

    /// Pages there are: a fault behind them is SIGBUS. Called with spin locks held; must not sleep.
    open var pageCount: Int { 0 }

    /// The frame of page `index`, brought in or made if need be, with one count for the caller. May sleep.
    /// `.noMemory` makes of a fault out-of-memory, any other error SIGBUS.
    open func frame(
        at index: Int, for access: PageAccess, _ task: borrowing TaskContext
    ) throws(Errno) -> Frame {
        throw .invalid
    }

    /// Adds to `frames` those of pages that are there already, each with one count for the caller. Called with spin
    /// locks held: must not sleep. Saves page faults; need not find anything.
    open func residentFrames(for access: PageAccess, into frames: inout FrameBatch) {}

    /// Gives up the pages `first` ..< `end` (`MADV_REMOVE`, `fallocate` with a hole): they read as zero from now on.
    open func punchHole(_ first: Int, _ end: Int, _ task: borrowing TaskContext) throws(Errno) {
        throw .notSupported
    }

    /// Whether its pages count as shared memory rather than as a file's (`RssShmem`).
    open var isSharedMemory: Bool { false }

    /// What `/proc/PID/maps` shows behind the numbers.
    open var mappingName: [UInt8] { [] }
    open var deviceNumber: UInt64 { 0 }
    open var inodeNumber: UInt64 { 0 }

    // MARK: Who maps it

    /// Counts `discard`s; see the rule at the top of this file.
    final var generation: UInt64 { generationCounter.load(ordering: .acquiring) }

    /// Whether any address space maps the object.
    public final var isMapped: Bool { mappers.withLock { !$0.isEmpty } }

    /// One region more of `space` maps the object. May be called with the lock of `space` held.
    final func addMapping(_ space: AddressSpace) { mappers.withLock { $0.add(space) } }

    /// One region less of `space` maps the object. May be called with the lock of `space` held.
    final func removeMapping(_ space: AddressSpace) { mappers.withLock { $0.remove(space) } }

    /// Makes the pages `first` ..< `end` disappear from all address spaces; they fault again when next touched. The object
    /// must not hold them any more. No spin lock held, interrupts on. `privateToo`: also private copies made of them
    /// (truncation takes those, a hole leaves them).
    public final func discard(_ first: Int, _ end: Int = .max, privateToo: Bool = true) {
        generationCounter.wrappingAdd(1, ordering: .sequentiallyConsistent)
        var done: UInt64 = 0
        while true {
            // An address space leaves the list before it goes, and cannot while the list is locked. But its own lock is taken
            // first by those who map, so here it is only tried.
            let step = mappers.withLock { mappers -> Step in
                guard let (space, number) = unsafe mappers.next(after: done) else { return .finished }
                let zapped = unsafe space._withUnsafeGuaranteedRef {
                    $0.tryDiscard(self, first, end, privateToo: privateToo)
                }
                guard zapped else { return .busy }
                done = number
                return .done
            }
            switch step {
            case .finished: return
            case .busy: Spin.pause()
            case .done: continue
            }
        }
    }

    private enum Step {
        case finished, busy, done
    }
}

/// The address spaces that map an object, in the order of their numbers.
struct MapperList: ~Copyable {
    @safe private struct Mapper {
        let number: UInt64
        /// Not counted: it leaves the list before it goes.
        let space: Unmanaged<AddressSpace>
        var regions: Int
    }
    private var mappers: [Mapper] = []

    var isEmpty: Bool { mappers.isEmpty }

    /// Index of the first mapper with a number of at least `number`.
    private func index(_ number: UInt64) -> Int {
        var low = 0
        var high = mappers.count
        while low < high {
            let middle = (low &+ high) >> 1
            if mappers[middle].number < number { low = middle &+ 1 } else { high = middle }
        }
        return low
    }

    mutating func add(_ space: AddressSpace) {
        let index = index(space.number)
        if index < mappers.count, mappers[index].number == space.number {
            mappers[index].regions += 1
        } else {
            unsafe mappers.insert(
                Mapper(number: space.number, space: unsafe Unmanaged.passUnretained(space), regions: 1),
                at: index)
        }
    }

    mutating func remove(_ space: AddressSpace) {
        let index = index(space.number)
        guard index < mappers.count, mappers[index].number == space.number else { return }
        mappers[index].regions -= 1
        if mappers[index].regions == 0 { mappers.remove(at: index) }
    }

    func next(after number: UInt64) -> (space: Unmanaged<AddressSpace>, number: UInt64)? {
        let index = index(number &+ 1)
        guard index < mappers.count else { return nil }
        return unsafe (mappers[index].space, mappers[index].number)
    }
}

/// Frames of up to 16 neighbouring pages of an object.
public struct FrameBatch {
    public static let capacity = 16
    /// Page that entry 0 is for.
    public let first: Int
    /// Entries wanted.
    public let count: Int
    private var numbers = InlineArray<16, UInt32>(repeating: 0)

    init(first: Int, count: Int) {
        self.first = first
        self.count = min(count, Self.capacity)
    }

    /// The frame of page `first + index`; nil if none was found, or none wanted.
    @inline(__always)
    public subscript(_ index: Int) -> Frame? {
        get { numbers[index] == 0 ? nil : Frame(numbers[index]) }
        set { numbers[index] = newValue?.number ?? 0 }
    }
}
