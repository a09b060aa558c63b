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

/// What each CPU has for deferred work.
@safe struct DeferredCPU: ~Copyable {
    /// Times each soft IRQ ran here. Written by this CPU only, bottom halves off.
    private let counts = CounterRow()
    /// The CPU's `ksoftirqd`; set once at boot, before the CPU raises anything.
    private let threadCell = unsafe Cell<Thread?>(nil)

    /// Scheduled tasklets, HI first. Touched by this CPU only, interrupts off.
    private let taskletCell = unsafe Cell(unsafe (TaskletList(), TaskletList()))

    var thread: Thread? { unsafe threadCell.address.pointee }

    func setThread(_ thread: Thread) { unsafe threadCell.address.pointee = thread }

    /// The queue of a priority; valid as long as the machine.
    @inline(__always)
    func tasklets(_ priority: TaskletQueue.Priority) -> UnsafeMutablePointer<TaskletList> {
        // Two lists side by side.
        let base = unsafe UnsafeMutableRawPointer(taskletCell.address).assumingMemoryBound(
            to: TaskletList.self)
        return unsafe base + priority.rawValue
    }

    func count(_ vector: SoftInterrupt) -> UInt64 { counts.load(Int(vector.rawValue)) }

    @inline(__always)
    func note(_ vector: Int) { counts.increment(vector) }
}

/// Sixteen counters that one CPU writes and all read.
@safe struct CounterRow: ~Copyable {
    private let cell = unsafe Cell(InlineArray<16, UInt64>(repeating: 0))

    @inline(__always)
    func increment(_ index: Int) {
        // Only the row's CPU writes, so nothing is lost; aligned words are read whole.
        unsafe cell.address.pointee[index & 15] &+= 1
    }

    func load(_ index: Int) -> UInt64 { unsafe cell.address.pointee[index & 15] }
}
