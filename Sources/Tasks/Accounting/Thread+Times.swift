// How long a thread ran, and how often it was switched away.

import Machine
import Primitives
import Synchronization

extension Thread {
    /// Nanoseconds it ran, up to now. Any context but NMI.
    public var runtime: UInt64 {
        unsafe withQueue { _, threads in
            if unsafe threads.current == storage { unsafe threads.charge(CycleClock.now) }
        }
        return unsafe storage.pointee.runtime.load(ordering: .relaxed)
    }

    /// Nanoseconds of these in user mode.
    public var userTime: UInt64 {
        var cycles = unsafe storage.pointee.userCycles.load(ordering: .relaxed)
        if isRunning { cycles &+= CPUArea.pendingUserCycles(cpu: cpu, now: CycleClock.cycles) }
        return CycleClock.nanoseconds(cycles)
    }

    /// Switches away because it slept.
    public var voluntarySwitches: UInt64 {
        unsafe storage.pointee.voluntarySwitches.load(ordering: .relaxed)
    }

    /// Switches away because others wanted the CPU.
    public var involuntarySwitches: UInt64 {
        unsafe storage.pointee.involuntarySwitches.load(ordering: .relaxed)
    }

    /// From now on, each time the running thread gets a CPU again `ReturnToUserHook` is called before it goes on
    /// in user mode (flag `notifyResume`).
    public static func noticeSwitches(_ on: Bool) {
        unsafe currentStorage.pointee.noticesSwitches = on
    }
}
