// The state of the time room.

import Machine
import Primitives
import Synchronization

/// One of these a machine, made at boot and never freed; `TimeRoot` points at it.
@unsafe struct TimeState: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<TimeState>

    let queues: PerCPU<TimerQueue>
    let bases: PerCPU<TimerBase>
    let cpuCount: Int
    /// Realtime minus monotonic, modulo 2^64.
    let realtimeOffset = Atomic<UInt64>(0)

    init(cpuCount: Int) {
        unsafe self.cpuCount = cpuCount
        unsafe queues = PerCPU(count: cpuCount) { unsafe TimerQueue(cpu: $0) }
        unsafe bases = PerCPU(count: cpuCount) { unsafe TimerBase(cpu: $0) }
    }

    /// The state of this machine. Valid from `Time.boot` on.
    @inline(__always)
    static var current: Pointer {
        unsafe TimeRoot.pointer.unsafelyUnwrapped.assumingMemoryBound(to: TimeState.self)
    }
}
