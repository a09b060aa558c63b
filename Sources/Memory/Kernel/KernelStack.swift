// Stacks of kernel threads: 16 KiB, with unmapped pages below each, so that an overflow faults instead of
// destroying a neighbour. Stacks given back stay mapped and are used again; `trim` unmaps those too many.

import Machine
import Primitives

/// A kernel stack somebody owns.
public struct KernelStack: Equatable, Sendable {
    #if APUS_DEBUG_LOCKS
        // A report about locks comes on top of whatever took them.
        public static let size: UInt = 32768
    #else
        public static let size: UInt = 16384
    #endif
    /// Address space for one stack: the upper half is mapped, the lower half never.
    private static let stride: UInt = 32768
    private static let framesPerStack = size / pageSize
    /// Stacks kept for reuse when `trim` is called by the way.
    public static let kept = 32

    let slot: UInt32

    /// First byte of the stack; below it lie 16 KiB that are never mapped.
    public var base: VirtualAddress {
        VirtualAddress(KernelLayout.stacks &+ UInt(slot) &* Self.stride &+ (Self.stride &- Self.size))
    }

    /// First byte behind the stack: where a stack pointer starts.
    public var top: VirtualAddress { base + Self.size }

    /// The stack's topmost frame in the direct map's terms: for those who prepare a stack from outside.
    public var topFrame: Frame {
        let last = base.value &+ Self.size &- pageSize
        return unsafe MemoryState.current.pointee.kernelTables.withLockInterruptsOff { tables, _ in
            // A stack somebody owns is mapped.
            unsafe Frame(containing: PageTable(root: tables.root).entry(at: last)!.pointee.address)
        }
    }

    /// Whether `address` lies below some stack where nothing is mapped: a fault there is a stack overflow.
    public static func isGuard(_ address: VirtualAddress) -> Bool {
        let offset = address.value &- KernelLayout.stacks
        return offset < 1 << 40 && offset % stride < stride &- size
    }

    /// Whether two addresses belong to the same stack or the guard below it.
    public static func isSameSlot(_ a: VirtualAddress, _ b: VirtualAddress) -> Bool {
        let (first, second) = (a.value &- KernelLayout.stacks, b.value &- KernelLayout.stacks)
        return first < 1 << 40 && first / stride == second / stride
    }

    /// A stack with whatever its last owner left in it; nil if there is no memory. Any context that may allocate.
    public static func allocate(use: FrameUse = .kernel) -> KernelStack? {
        if use == .user, !Frames.userMayAllocate { return nil }
        return unsafe MemoryState.current.pointee.kernelTables.withLockInterruptsOff { tables, _ in
            if let slot = tables.stacks.cached.popLast() { return KernelStack(slot: slot) }
            let stack = KernelStack(slot: tables.stacks.newSlot())
            if stack.map(tables) { return stack }
            stack.unmap(tables)
            tables.stacks.unused.append(stack.slot)
            return nil
        }
    }

    /// Gives the stack back. Nobody runs on it any more. Any context that may allocate, interrupts on or off.
    public func free() {
        unsafe MemoryState.current.pointee.kernelTables.withLockInterruptsOff { tables, _ in
            tables.stacks.cached.append(slot)
        }
    }

    private func map(_ tables: borrowing KernelTables) -> Bool {
        for page in 0..<Self.framesPerStack {
            guard let frame = Frames.allocate() else { return false }
            let entry = PageTableEntry(frame.address, [.present, .writable, .global, .noExecute])
            guard KernelPageTable.map(base.value &+ page &* pageSize, entry, tables) else {
                Frames.free(frame)
                return false
            }
        }
        return true
    }

    /// Takes the pages out of a stack that was never used.
    private func unmap(_ tables: borrowing KernelTables) {
        for page in 0..<Self.framesPerStack {
            let old = KernelPageTable.unmap(base.value &+ page &* pageSize, tables)
            if old.isPresent { Frames.free(Frame(containing: old.address)) }
        }
    }

    /// How many stacks wait for reuse.
    public static var cachedCount: Int {
        unsafe MemoryState.current.pointee.kernelTables.withLockInterruptsOff { tables, _ in
            tables.stacks.cached.count
        }
    }

    /// Unmaps all but `kept` of the stacks that wait for reuse and frees their frames, after every CPU has forgotten
    /// them. Interrupts on, no locks held.
    public static func trim(keeping kept: Int = kept, _ task: borrowing TaskContext) {
        while let stack = takeSurplus(keeping: kept) {
            var frames = InlineArray<4, UInt32>(repeating: 0)
            unsafe MemoryState.current.pointee.kernelTables.withLockInterruptsOff { tables, _ in
                for page in 0..<framesPerStack {
                    let old = KernelPageTable.unmap(stack.base.value &+ page &* pageSize, tables)
                    frames[Int(page)] = Frame(containing: old.address).number
                }
            }
            TLBHooks.invalidateKernel(stack.base.value, stack.top.value)
            for index in frames.indices { Frames.free(Frame(frames[index])) }
            unsafe MemoryState.current.pointee.kernelTables.withLockInterruptsOff { tables, _ in
                tables.stacks.unused.append(stack.slot)
            }
        }
    }

    private static func takeSurplus(keeping kept: Int) -> KernelStack? {
        unsafe MemoryState.current.pointee.kernelTables.withLockInterruptsOff { tables, _ in
            guard tables.stacks.cached.count > kept else { return nil }
            return tables.stacks.cached.popLast().map { KernelStack(slot: $0) }
        }
    }
}

/// Which stacks there are. Part of `KernelTables`, under its lock.
struct StackSlots {
    /// Mapped, waiting for reuse; the one last used last.
    var cached: [UInt32] = []
    /// Not mapped.
    var unused: [UInt32] = []
    private var next: UInt32 = 0

    /// A slot that is not mapped.
    mutating func newSlot() -> UInt32 {
        if let slot = unused.popLast() { return slot }
        next += 1
        return next - 1
    }
}
