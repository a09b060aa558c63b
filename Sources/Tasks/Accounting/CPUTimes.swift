// What a CPU spent its time on, measured at each transition.

import Machine
import Synchronization

/// Nanoseconds of one CPU by kind, as `/proc/stat` lists them. Written by that CPU only.
struct CPUTimes: ~Copyable {
    let user = Atomic<UInt64>(0)
    let nice = Atomic<UInt64>(0)
    let system = Atomic<UInt64>(0)
    let idle = Atomic<UInt64>(0)
    let interrupt = Atomic<UInt64>(0)
    let softInterrupt = Atomic<UInt64>(0)
}
