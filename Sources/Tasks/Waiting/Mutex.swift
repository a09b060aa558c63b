// A lock whose waiters sleep, and which owns what it protects.
//
// `owner` is the number of the thread that holds the lock, shifted left by one, with bit 0 set once waiters
// have come; 0 when free. A waiter that found the lock taken again after it had been woken asks for it to be
// handed over: `unlock` then gives it to the first in the queue instead of freeing it, so nobody starves.

import Machine
import Primitives
import Synchronization

@safe public struct Mutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let raw = RawMutex()
    /// Touched only by the thread that holds the lock.
    private let cell: Cell<Value>

    public init(_ value: consuming Value) { unsafe cell = Cell(value) }

    /// Runs `body` with the lock held; sleeps until it is free. Not recursive: a thread that asks again stops the
    /// kernel.
    @inline(__always)
    public func withLock<R: ~Copyable, E>(
        _ task: borrowing TaskContext, _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R {
        raw.lock(task)
        defer { raw.unlock() }
        // The lock is held, so this is the only access.
        return try unsafe body(&cell.address.pointee)
    }

    /// Runs `body` with the lock held if it is free; nil if it is not. Task context, never sleeps.
    @inline(__always)
    public func tryWithLock<R, E>(
        _ task: borrowing TaskContext, _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R? {
        guard raw.tryLock() else { return nil }
        defer { raw.unlock() }
        // The lock is held, so this is the only access.
        return try unsafe body(&cell.address.pointee)
    }

    /// Number of the thread that holds the lock, for reports; nil if it is free.
    public var owner: UInt64? { raw.owner }
}
