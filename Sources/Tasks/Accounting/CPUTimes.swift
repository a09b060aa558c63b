// What a CPU's threads did in user mode, measured at each entry and exit.

import Machine
import Synchronization

/// Cycles of one CPU in user mode, without those of the thread that has it now. Written by that CPU only,
/// interrupts off.
struct CPUTimes: ~Copyable {
    private let plain = Atomic<UInt64>(0)
    /// At a nice value above 0.
    private let nice = Atomic<UInt64>(0)

    /// Adds what a thread has spent.
    @inline(__always)
    func add(_ cycles: UInt64, isNice: Bool) {
        if isNice {
            nice.store(nice.load(ordering: .relaxed) &+ cycles, ordering: .relaxed)
        } else {
            plain.store(plain.load(ordering: .relaxed) &+ cycles, ordering: .relaxed)
        }
    }

    /// Nanoseconds, with those of the thread that has the CPU now.
    func total(cpu: Int, isCurrentNice: Bool) -> (user: UInt64, nice: UInt64) {
        let pending = CPUArea.pendingUserCycles(cpu: cpu, now: CycleClock.cycles)
        let user = plain.load(ordering: .relaxed) &+ (isCurrentNice ? 0 : pending)
        let nice = nice.load(ordering: .relaxed) &+ (isCurrentNice ? pending : 0)
        return (CycleClock.nanoseconds(user), CycleClock.nanoseconds(nice))
    }
}
