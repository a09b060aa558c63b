// How threads end, and what becomes of their storage.

import Machine
import Primitives
import Synchronization

extension Thread {
    /// Ends the running thread. Lets go of its object and its address space first; its stack and storage are
    /// freed by the thread that runs next on this CPU.
    public static func exit(_ task: borrowing TaskContext) -> Never {
        let storage = unsafe currentStorage
        trimStacks(task)
        unsafe storage.pointee.start = nil
        unsafe storage.pointee.setUserObject(nil)
        useAddressSpace(nil)
        InterruptFlag.disable()
        unsafe storage.pointee.isUser = false
        unsafe storage.pointee.state.store(ThreadState.dead.rawValue, ordering: .relaxed)
        unsafe Scheduler.switchThreads(preempted: false)
        fatalError("a thread that ended ran again")
    }

    /// Frees the storage of a thread that ended and is off its CPU. Interrupts are off.
    static func reclaim(_ storage: ThreadStorage.Pointer) {
        unsafe storage.pointee.identifier.store(0, ordering: .releasing)
        unsafe storage.pointee.context.destroy()
        unsafe TaskState.current.pointee.give(storage)
    }

    /// Gives back storage whose thread never ran.
    static func discard(_ storage: ThreadStorage.Pointer) {
        unsafe storage.pointee.state.store(ThreadState.dead.rawValue, ordering: .relaxed)
        unsafe reclaim(storage)
    }

    /// Frees the stacks that free storage has too many of.
    private static func trimStacks(_ task: borrowing TaskContext) {
        var freed = false
        while let stack = unsafe TaskState.current.pointee.takeSurplusStack() {
            unsafe stack.free()
            freed = true
        }
        if freed { unsafe KernelStackHandle.trim(task) }
    }
}
