// One queued call: what Linux calls `call_single_data`.

import Machine
import Primitives
import Synchronization

/// A function that another CPU runs, in hard interrupt context with interrupts off.
public typealias CallFunctionBody = @convention(thin) (borrowing HardInterruptContext, UInt) -> Void

/// What the flags word of a node says.
enum CallFlags {
    /// From the moment the sender takes the node until the receiver needs it no more: only the sender that set
    /// it writes to the node.
    static let locked: UInt32 = 1
    /// The sender waits: the node is unlocked when the function has returned, else already before.
    static let synchronous: UInt32 = 2
}

/// A node: link, function, argument and flags. Its storage stays where it is while it is locked.
@unsafe struct CallSingleData: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<CallSingleData>

    /// First, so that the list can find it.
    let link = LockFreeLink()
    let flags = Atomic<UInt32>(0)
    var function: CallFunctionBody? = nil
    var argument: UInt = 0

    init() {}

    /// A node on the stack of a sender that waits: locked from the beginning.
    init(_ function: @escaping CallFunctionBody, _ argument: UInt) {
        unsafe self.function = function
        unsafe self.argument = argument
        unsafe flags.store(CallFlags.locked | CallFlags.synchronous, ordering: .relaxed)
    }

    @inline(__always)
    var isLocked: Bool { unsafe flags.load(ordering: .acquiring) & CallFlags.locked != 0 }

    /// Takes the node; false if somebody else has it.
    @inline(__always)
    borrowing func tryLock(synchronous: Bool) -> Bool {
        let wanted = synchronous ? CallFlags.locked | CallFlags.synchronous : CallFlags.locked
        return unsafe flags.compareExchange(expected: 0, desired: wanted, ordering: .acquiring).exchanged
    }

    /// Takes a node that only this CPU takes, with interrupts off; false if its receiver still has it.
    @inline(__always)
    borrowing func lockOwn(synchronous: Bool) -> Bool {
        if unsafe flags.load(ordering: .acquiring) != 0 { return false }
        let wanted = synchronous ? CallFlags.locked | CallFlags.synchronous : CallFlags.locked
        unsafe flags.store(wanted, ordering: .relaxed)
        return true
    }

    @inline(__always)
    borrowing func unlock() { unsafe flags.store(0, ordering: .releasing) }
}
