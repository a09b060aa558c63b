// What happens when memory runs out. User programs are refused frames at the watermark, long
// before; below it the kernel lives on its reserve and asks for a victim.

import Machine
import Primitives

/// What the room asks of others; each set once at boot.
public enum MemoryHooks {
    /// Memory is nearly or wholly exhausted: the Linux room kills the biggest user process. Called in any context
    /// but hard interrupts and NMI, perhaps with locks held, so it must not sleep, nor allocate more than a
    /// few objects; true if memory will come free.
    nonisolated(unsafe) public static var outOfMemory: (@convention(c) () -> Bool)? = nil
}

enum OutOfMemory {
    /// The kernel itself needs memory and there is none, not even of the reserve. Returns if something was freed.
    @inline(never)
    static func kernelNeeds(bytes: Int) {
        let before = Frames.freeCount
        _ = callHook()
        // Another CPU may have given something back meanwhile; what this CPU waits for with a lock
        // held cannot come.
        if Frames.freeCount > before { return }
        memoryPanic(
            "out of memory: the kernel needs \(bytes) bytes, and of \(Frames.totalCount * 4) KiB none are free"
        )
    }

    @_semantics("no_performance_analysis")
    private static func callHook() -> Bool { unsafe MemoryHooks.outOfMemory?() ?? false }
}
