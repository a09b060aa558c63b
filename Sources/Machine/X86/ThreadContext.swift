// The machine's part of a thread that does not run: where its registers lie on its kernel stack.

import CMachine

/// A stack to switch to. Trivial to copy; whoever holds it keeps the stack alive.
@unsafe public struct ThreadContext {
    /// Stack pointer below the saved registers (switch.S); meaningless while the thread runs.
    private var stackPointer: UInt = 0

    /// The context of a thread that already runs (a CPU's first).
    public init() {}

    /// Makes a fresh stack call `entry` with what the switch to it carries; should it return, the thread
    /// goes to user mode with the registers of `userRegisters(stackTop:)`.
    public mutating func prepare(stackTop: UInt, entry: thread_entry) {
        let registers = unsafe Self.userRegistersAddress(stackTop: stackTop)
        // The entry function is called with a stack pointer that is a multiple of 16.
        let base = (registers & ~15) &- 64
        // `base` lies in the stack, which has more than a page below its top.
        let frame = unsafe UnsafeMutablePointer<UInt>(bitPattern: base &- 56).unsafelyUnwrapped
        for word in 0..<4 { unsafe frame[word] = 0 }
        unsafe frame[3] = registers
        unsafe frame[4] = unsafeBitCast(entry, to: UInt.self)
        unsafe frame[5] = 0
        unsafe frame[6] = UInt(thread_begin_address())
        unsafe stackPointer = base &- 56
    }

    /// Nothing to give back: the stack belongs to whoever allocated it.
    public mutating func destroy() {}

    /// Switches from the running thread to another; returns, when somebody switches back, what that
    /// switch carried. Interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func switchStacks(
        from old: UnsafeMutablePointer<ThreadContext>, to new: UnsafeMutablePointer<ThreadContext>,
        carrying value: UInt
    ) -> UInt {
        // The stack pointer is the only field, so the context's address is its address.
        unsafe UInt(
            apus_switch_stacks(
                UnsafeMutableRawPointer(old).assumingMemoryBound(to: UInt.self), new.pointee.stackPointer,
                value))
    }

    /// Bytes of `PtRegs` at the top of each kernel stack.
    private static let userRegistersSize: UInt = 168

    /// Where the registers of user mode lie on a kernel stack.
    @inline(__always)
    public static func userRegistersAddress(stackTop: UInt) -> UInt { unsafe stackTop &- userRegistersSize }

    /// Where the next entry from user mode on this CPU puts its frame. Interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func setEntryStack(_ top: UInt) { thread_set_entry_stack(top) }
}
