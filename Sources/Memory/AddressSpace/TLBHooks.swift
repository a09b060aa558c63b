// Making CPUs forget translations: this one directly, others through a hook.

import Machine
import Primitives

/// Set once at boot by the CrossCPU room.
public enum TLBHooks {
    /// Makes the CPUs of a mask (four words, CPU 0 in bit 0 of the first) other than this one call `TLBRequest.answer` with
    /// the address given, before it returns. Called with interrupts on and preemption off, perhaps with spin locks held.
    @inline(__always)
    public static var shootdown: ShootdownRoot.Function? {
        get { ShootdownRoot.function }
        set { ShootdownRoot.function = newValue }
    }

    /// More pages than this are forgotten all at once: one by one costs an instruction for each, all at once costs every
    /// other translation in use, which has to be found again. Where the two break even depends on the machine and on how
    /// many others are in use; `./apus bench flush` measures it. Any context; a file of `/sys/kernel/debug/x86` sets it.
    public static var pageLimit: UInt {
        get { unsafe limit }
        set { unsafe limit = newValue }
    }

    /// One word, read whenever it matters: an old value is as right as a new one.
    nonisolated(unsafe) private static var limit: UInt = 33

    /// Forgets pages on this CPU. Any context.
    @inline(__always)
    public static func invalidateHere(_ start: UInt, _ end: UInt) {
        guard end &- start <= pageLimit &* pageSize || start >= KernelLayout.userEnd else {
            return Translation.invalidateAll()
        }
        var page = start
        while page < end {
            Translation.invalidate(page)
            page &+= pageSize
        }
    }

    /// Makes every CPU forget pages of the kernel's half. Interrupts on.
    static func invalidateKernel(_ start: UInt, _ end: UInt) {
        withPreemptionOff { _ in
            invalidateHere(start, end)
            var others = CPUs.online
            others.remove(CPU.index)
            if others.isEmpty { return }
            TLBRequest(space: 0, start: start, end: end, generation: 0).send(to: others)
        }
    }
}
