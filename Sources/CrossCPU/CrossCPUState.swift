// The state of the room.

import Interrupts
import Machine
import Primitives
import Synchronization
import Tasks

/// One of these a machine, made at boot and never freed; `CrossCPURoot` points at it.
@unsafe struct CrossCPUState: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<CrossCPUState>

    /// Calls of functions, vector 0xfb. Two queues, so that a TLB shootdown sent with spin locks held never
    /// waits behind a function that wants one of them.
    let functions: CallQueue
    /// TLB invalidations, vector 0xfd.
    let translations: CallQueue
    let synchronization = SynchronizationState()
    /// Nanoseconds after which a receiver is reported that a sender waits for.
    let waitLimit = Atomic<UInt64>(5_000_000_000)
    /// Receivers and refused calls reported so far.
    let reports = Atomic<Int>(0)

    let hotplug: HotplugState

    init(cpus: Int) {
        unsafe hotplug = HotplugState(cpus: cpus)
        unsafe functions = CallQueue(cpus: cpus, vector: Vector.callFunction.number)
        unsafe translations = CallQueue(cpus: cpus, vector: Vector.invalidateTLB.number)
    }

    /// The state of this machine. Valid from `CrossCPU.boot` on.
    @inline(__always)
    static var current: Pointer {
        unsafe CrossCPURoot.pointer.unsafelyUnwrapped.assumingMemoryBound(to: CrossCPUState.self)
    }
}
