// The simulated machine's part of a thread: a fiber.

import CMachine

/// A stack to switch to. Trivial to copy.
@unsafe public struct ThreadContext {
    private var fiber: OpaquePointer? = nil

    /// The context of a thread that already runs (a CPU's first).
    public init() {}

    /// Makes a fresh stack that calls `entry` with what the switch to it carries. The stack is the fiber's
    /// own: host code needs more of it than kernel code.
    public mutating func prepare(stackTop: UInt, entry: thread_entry) {
        unsafe fiber = fiber_create(entry)
        precondition(unsafe fiber != nil, "no host memory for a fiber")
    }

    /// Frees the fiber; nobody may switch to it again.
    public mutating func destroy() {
        unsafe fiber_free(fiber)
        unsafe fiber = nil
    }

    /// Switches from the running thread to another; returns, when somebody switches back, what that
    /// switch carried.
    public static func switchStacks(
        from old: UnsafeMutablePointer<ThreadContext>, to new: UnsafeMutablePointer<ThreadContext>,
        carrying value: UInt
    ) -> UInt {
        // What runs now is what the CPU says, also for its first thread, which nobody prepared.
        unsafe old.pointee.fiber = unsafe SimulatedCPU.current.fiber
        return unsafe SimulatedCPU.switchFiber(new.pointee.fiber, carrying: value)
    }

    /// Where the registers of user mode would lie on a kernel stack.
    public static func userRegistersAddress(stackTop: UInt) -> UInt { stackTop &- 168 }

    /// Where the next entry from user mode on this CPU puts its frame. Interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func setEntryStack(_ top: UInt) { thread_set_entry_stack(top) }
}
