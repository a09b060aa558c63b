// Contexts are types. A function that may sleep, allocate or fault asks for the token of a
// context in which that is allowed; tokens have no size and cannot be copied, stored or captured
// by an escaping closure, so holding one proves that the code runs in that context now.
//
// Tokens are made only where a context begins (the entry path, the start of a thread, the soft-IRQ
// loop): those files say `@_spi(ContextEntry) import Primitives`.

/// Runs on behalf of a thread: may sleep, allocate and touch user memory.
public struct TaskContext: ~Copyable, ~Escapable {
    @_spi(ContextEntry) @_lifetime(immortal) @inline(__always)
    public init() {}
}

/// Runs in a hard interrupt (top half): interrupts are off, nothing sleeps or allocates.
public struct HardInterruptContext: ~Copyable, ~Escapable {
    @_spi(ContextEntry) @_lifetime(immortal) @inline(__always)
    public init() {}
}

/// Runs in a hard interrupt that lets others in: nothing sleeps or allocates, and locks shared with other top halves need
/// interrupts off.
public struct NonCriticalContext: ~Copyable, ~Escapable {
    @_spi(ContextEntry) @_lifetime(immortal) @inline(__always)
    public init() {}
}

/// Runs in a soft IRQ (bottom half): interrupts are on, nothing sleeps.
public struct SoftInterruptContext: ~Copyable, ~Escapable {
    @_spi(ContextEntry) @_lifetime(immortal) @inline(__always)
    public init() {}
}

/// Runs in a non-maskable interrupt: no locks, no allocation, nothing that could have been interrupted.
public struct NMIContext: ~Copyable, ~Escapable {
    @_spi(ContextEntry) @_lifetime(immortal) @inline(__always)
    public init() {}
}
