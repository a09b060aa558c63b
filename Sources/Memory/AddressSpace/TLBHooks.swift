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

    /// More pages than this are forgotten all at once.
    public static let pageLimit: UInt = 33

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
