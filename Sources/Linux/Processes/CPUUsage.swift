// CPU time as calls report it.

import Primitives
import Tasks

/// Nanoseconds in user mode and in the kernel.
struct CPUUsage {
    var user: UInt64 = 0
    var system: UInt64 = 0
    var voluntarySwitches: UInt64 = 0
    var involuntarySwitches: UInt64 = 0

    /// USER_HZ is 100.
    static let nanosecondsPerTick: UInt64 = 10_000_000

    var total: UInt64 { user &+ system }

    init() {}

    /// Of a thread that cannot end meanwhile.
    init(_ thread: Thread) {
        let runtime = thread.runtime
        user = min(thread.userTime, runtime)
        system = runtime - user
        voluntarySwitches = thread.voluntarySwitches
        involuntarySwitches = thread.involuntarySwitches
    }

    static func += (sum: inout Self, other: Self) {
        sum.user &+= other.user
        sum.system &+= other.system
        sum.voluntarySwitches &+= other.voluntarySwitches
        sum.involuntarySwitches &+= other.involuntarySwitches
    }
}

extension Process {
    /// All threads', those that ended included.
    var times: CPUUsage {
        signals.withLockInterruptsOff { signals, _ in
            var sum = signals.endedThreads
            signals.threads.forEach { task in
                sum += CPUUsage(task.thread)
                return true
            }
            return sum
        }
    }
}
