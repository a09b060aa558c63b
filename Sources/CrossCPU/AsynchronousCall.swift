// A call whose node belongs to the caller: it can be started where nobody may wait.

import Machine
import Primitives
import Synchronization

/// A function to be run on another CPU, any number of times one after the other. Part of the object it serves:
/// it lies still from its first start on, and its end waits until the receiver needs it no more.
@safe public struct AsynchronousCall: ~Copyable, @unchecked Sendable {
    private let cell: Cell<CallSingleData>

    public init(_ argument: UInt = 0, _ function: @escaping CallFunctionBody) {
        unsafe cell = unsafe Cell(CallSingleData())
        unsafe cell.address.pointee.function = function
        unsafe cell.address.pointee.argument = argument
    }

    /// Lets `cpu` run the function soon (on this CPU: at once) and does not wait. Any context, also with
    /// interrupts off; not in an NMI. `.busy` if the call before has not begun yet: then one run serves both.
    @inline(__always)
    public func start(on cpu: Int) throws(CallError) {
        if let error = post(to: cpu) { throw error }
    }

    /// The same for top halves: says why nothing was started, nil if it was.
    @_noAllocation
    public func post(to cpu: Int) -> CallError? {
        guard cpu >= 0, cpu < CPUs.count else { return .noSuchCPU }
        // Interrupts off: a CPU that goes offline waits for such sections before it takes its last look.
        return withInterruptsOff { _ in
            guard CPUs.isOnline(cpu) else { return .offline }
            let node = unsafe cell.address
            guard unsafe node.pointee.tryLock(synchronous: false) else { return .busy }
            if cpu == CPU.index {
                unsafe LocalCall.runAndUnlock(node)
            } else {
                unsafe CrossCPUState.current.pointee.functions.post(node, to: cpu)
            }
            return nil
        }
    }

    /// Whether the receiver has still to begin. Any context.
    public var isPending: Bool { unsafe cell.address.pointee.isLocked }

    deinit { while unsafe cell.address.pointee.isLocked { Spin.pause() } }
}
