// Per-CPU storage: one value for each possible CPU, each on cache lines of its own.

import Machine

/// One `Value` a CPU. Made at boot and never freed. The value of this CPU is reached with a guard
/// that proves the code stays on it; others' values only through `withRemote`, for types that are
/// safe to read from outside (atomics, locks).
@safe public struct PerCPU<Value: ~Copyable>: @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    private let stride: Int
    public let count: Int

    /// Makes a value for each of the CPUs 0 ..< `count`. Boot only; allocates.
    public init(count: Int, _ make: (Int) -> Value) {
        let size = MemoryLayout<Value>.size
        stride = max((size + 63) & ~63, 64)
        self.count = count
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: stride * count, alignment: 64)
        for cpu in 0..<count {
            // Inside the allocation: cpu < count.
            unsafe base.advanced(by: cpu * stride).initializeMemory(as: Value.self, to: make(cpu))
        }
    }

    @inline(__always)
    private func pointer(_ cpu: Int) -> UnsafeMutablePointer<Value> {
        precondition(cpu < count, "per-CPU data of a CPU that does not exist")
        return unsafe base.advanced(by: cpu &* stride).assumingMemoryBound(to: Value.self)
    }

    /// This CPU's value; nothing else runs on this CPU meanwhile.
    @inline(__always)
    public func withLocal<R: ~Copyable, E>(
        _ off: borrowing InterruptsOff, _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R {
        // Interrupts are off, so only this code touches this CPU's value.
        try unsafe body(&pointer(CPU.index).pointee)
    }

    /// This CPU's value, for data that interrupts do not touch.
    @inline(__always)
    public func withLocal<R: ~Copyable, E>(
        _ off: borrowing PreemptionOff, _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R {
        // Preemption is off and handlers keep away from values used so.
        try unsafe body(&pointer(CPU.index).pointee)
    }

    /// This CPU's value in a hard interrupt.
    @inline(__always)
    public func withLocal<R: ~Copyable, E>(
        _ context: borrowing HardInterruptContext, _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R {
        // Hard interrupts run with interrupts off.
        try unsafe body(&pointer(CPU.index).pointee)
    }

    /// The value of the CPU that runs this, shared: only for values whose parts are atomics or locks. It may be another's as
    /// soon as it has been found, unless something keeps this code on its CPU.
    @inline(__always)
    public func withCurrent<R: ~Copyable, E>(_ body: (borrowing Value) throws(E) -> R) throws(E) -> R {
        // Made for each CPU that can run.
        try unsafe withExisting(CPU.index, body)
    }

    /// The value of a CPU that is known to exist, shared: as the others.
    @inline(__always) @unsafe
    public func withExisting<R: ~Copyable, E>(
        _ cpu: Int, _ body: (borrowing Value) throws(E) -> R
    ) throws(E) -> R {
        try unsafe body(base.advanced(by: cpu &* stride).assumingMemoryBound(to: Value.self).pointee)
    }

    /// The value of any CPU, shared: only for values whose parts are atomics or locks.
    @inline(__always)
    public func withRemote<R: ~Copyable, E>(
        _ cpu: Int, _ body: (borrowing Value) throws(E) -> R
    ) throws(E) -> R {
        try unsafe body(pointer(cpu).pointee)
    }
}
