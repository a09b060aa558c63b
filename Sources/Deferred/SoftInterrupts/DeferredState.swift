// The state of the room of deferred work.

import Machine
import Primitives
import Synchronization
import Tasks

/// One of these a machine, made at boot and never freed; `DeferredRoot` points at it.
@unsafe struct DeferredState: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<DeferredState>

    let perCPU: PerCPU<DeferredCPU>
    /// Those who wait for a tasklet to be idle.
    let taskletWaiters = WaitQueue()

    /// Those who wait for another to have cancelled a work.
    let workCancellers = WaitQueue()
    let pools: WorkerPools
    let workQueues = WorkQueueList()
    let spareWorkers = SpareWorkers()

    init(cpuCount: Int) {
        unsafe perCPU = PerCPU(count: cpuCount) { _ in DeferredCPU() }
        unsafe pools = unsafe WorkerPools(cpuCount: cpuCount)
    }

    /// The state of this machine. Valid from `SoftInterrupts.boot` on.
    @inline(__always)
    static var current: Pointer {
        unsafe DeferredRoot.pointer.unsafelyUnwrapped.assumingMemoryBound(to: DeferredState.self)
    }
}

/// What each CPU has for deferred work besides the words of its area (`CPUArea`); `CPUArea.deferred` points at it. Written by
/// its CPU only, interrupts off but for what says otherwise.
@unsafe struct DeferredLocal {
    typealias Pointer = UnsafeMutablePointer<DeferredLocal>

    /// The CPU's `ksoftirqd`; set once at boot, before the CPU raises anything.
    var thread: Thread? = nil
    /// When the window began in which the time of soft IRQs in between is limited.
    var windowSince: UInt64 = 0

    /// This CPU's. Valid from `SoftInterrupts.enterCPU` on.
    @inline(__always)
    static var current: Pointer {
        // Set there, to storage that lives as long as the machine.
        unsafe Pointer(bitPattern: CPUArea.deferred).unsafelyUnwrapped
    }
}

@safe struct DeferredCPU: ~Copyable {
    private let cell = unsafe Cell(unsafe DeferredLocal())

    @unsafe var local: DeferredLocal.Pointer { unsafe cell.address }
}
