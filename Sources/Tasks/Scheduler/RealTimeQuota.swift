// How much of a CPU real-time threads may have, so that one that never sleeps does not stop the machine (sched(7),
// "Limiting the CPU usage of real-time and deadline processes").
//
// In each period they may run for so long; then, until the period ends, the others come first. Who has the CPU for
// himself keeps it, though: a share that nobody wants is not taken away.

import Synchronization

/// What is used of one CPU's share. Under the lock of its run queue; times in nanoseconds of `CycleClock`.
struct RealTimeQuota {
    private(set) var used: UInt64 = 0
    private var periodStart: UInt64 = 0
    /// The share of this period is used up.
    private(set) var isExhausted = false

    /// When that ends.
    var periodEnd: UInt64 { periodStart &+ Self.period }

    /// How long a real-time thread may run on from `now`, in the period of which it is: until the share is used up, or the
    /// period ends, since what is used in one counts for no other. `.max` without a limit.
    func untilLook(_ now: UInt64) -> UInt64 {
        let runtime = Self.runtime
        return runtime == .max ? .max : min(runtime &- min(used, runtime), periodEnd &- now)
    }

    mutating func charge(_ elapsed: UInt64) {
        let runtime = Self.runtime
        if runtime == .max { return }
        used = min(used &+ elapsed, runtime)
        isExhausted = used >= runtime
    }

    /// Begins a new period if the old one is over.
    @inline(__always)
    mutating func renew(_ now: UInt64) {
        if isExhausted || now &- periodStart >= Self.period { look(now) }
    }

    @inline(never)
    private mutating func look(_ now: UInt64) {
        let period = Self.period
        guard now &- periodStart >= period, now > periodStart else {
            if Self.runtime == .max { isExhausted = false }
            return
        }
        periodStart = now &- (now &- periodStart) % period
        used = 0
        isExhausted = Self.runtime == 0
    }

    // MARK: The settings, for all CPUs

    static var period: UInt64 {
        unsafe TaskState.current.pointee.realTimePeriod.load(ordering: .relaxed)
    }

    static var runtime: UInt64 { unsafe TaskState.current.pointee.realTimeRuntime.load(ordering: .relaxed) }
}

extension Scheduler {
    /// The share of each CPU that real-time threads may have: `runtime` of each `period`, in nanoseconds; nil without a
    /// limit. Any context.
    public static var realTimeShare: (period: UInt64, runtime: UInt64?) {
        let runtime = RealTimeQuota.runtime
        return (RealTimeQuota.period, runtime == .max ? nil : runtime)
    }

    public static func setRealTimeShare(period: UInt64, runtime: UInt64?) {
        let state = unsafe TaskState.current
        unsafe state.pointee.realTimePeriod.store(max(period, 1000), ordering: .relaxed)
        unsafe state.pointee.realTimeRuntime.store(runtime ?? .max, ordering: .relaxed)
    }

    /// How long a round-robin thread may run before others of its priority have their turn, in nanoseconds. Any context.
    public static var roundRobinTurn: UInt64 {
        get { unsafe TaskState.current.pointee.roundRobinTurn.load(ordering: .relaxed) }
        set {
            unsafe TaskState.current.pointee.roundRobinTurn.store(
                max(newValue, 1_000_000), ordering: .relaxed)
        }
    }
}
