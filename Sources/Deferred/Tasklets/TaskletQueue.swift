// Each CPU's tasklets, in two queues, and the two soft IRQs that run them.
//
// Scheduling sets the tasklet's `scheduled` bit; whoever set it puts the tasklet into a queue of its own CPU, so a tasklet
// is in one queue at most. The soft IRQ takes the whole queue. As a tasklet begins, `scheduled` becomes `running`; if that was
// set, the handler runs on another CPU just now (it was scheduled again there), and the tasklet goes back into the queue for
// the next round. A disabled one goes back too, but nothing is raised for it: `enable` does that, on the CPU that has it.

import Machine
import Primitives
import Synchronization
import Tasks

enum TaskletQueue {
    /// Which queue, and which soft IRQ runs it.
    enum Priority {
        case high
        case normal

        @inline(__always)
        var vector: SoftInterrupt { self == .high ? .high : .tasklet }
    }

    /// Takes the vectors. Boot only.
    static func boot() {
        SoftInterrupts.register(.high) { @Sendable context in TaskletQueue.run(.high, context) }
        SoftInterrupts.register(.tasklet) { @Sendable context in TaskletQueue.run(.normal, context) }
    }

    // MARK: Scheduling

    @inline(__always)
    static func schedule(_ tasklet: TaskletCore.Pointer, _ priority: Priority) -> Bool {
        guard unsafe tasklet.pointee.claim() else { return false }
        if PreemptCount.inInterrupt {
            unsafe queue(tasklet, priority)
            CPUArea.raiseSoftInterrupt(priority.vector.bit)
        } else {
            unsafe scheduleInTask(tasklet, priority)
        }
        return true
    }

    @inline(never)
    private static func scheduleInTask(_ tasklet: TaskletCore.Pointer, _ priority: Priority) {
        withInterruptsOff { off in
            unsafe queue(tasklet, priority)
            SoftInterrupts.raise(priority.vector, off)
        }
    }

    /// Puts a claimed tasklet before the others. Where the thread cannot change its CPU.
    @inline(__always)
    private static func queue(_ tasklet: TaskletCore.Pointer, _ priority: Priority) {
        // The word is the tasklet's own, and in no queue.
        unsafe CPUArea.pushTasklet(
            UInt(bitPattern: tasklet), next: &tasklet.pointee.next, isHigh: priority == .high)
    }

    @inline(__always)
    private static func tasklet(_ address: UInt) -> TaskletCore.Pointer? {
        // Only tasklets are in the queues; they lie still, and are not freed while they are there.
        unsafe TaskletCore.Pointer(bitPattern: address)
    }

    // MARK: Running

    /// The soft IRQ: one go at each tasklet that was in the queue, the first scheduled first.
    @inline(__always)
    private static func run(_ priority: Priority, _ context: borrowing SoftInterruptContext) {
        guard let last = unsafe tasklet(takeAll(priority)) else { return }
        if unsafe last.pointee.next != 0 { return unsafe runMany(last, priority, context) }
        unsafe turn(last, priority, context)
    }

    @inline(never)
    private static func runMany(
        _ last: TaskletCore.Pointer, _ priority: Priority, _ context: borrowing SoftInterruptContext
    ) {
        var next = unsafe reversed(last)
        while let here = unsafe tasklet(next) {
            next = unsafe here.pointee.next
            unsafe turn(here, priority, context)
        }
    }

    /// Turns a queue round, so that the one scheduled first comes first.
    private static func reversed(_ last: TaskletCore.Pointer) -> UInt {
        var turned: UInt = 0
        var left = UInt(bitPattern: last)
        while let here = unsafe tasklet(left) {
            left = unsafe here.pointee.next
            unsafe here.pointee.next = turned
            turned = UInt(bitPattern: here)
        }
        return turned
    }

    /// Interrupts are on, as in all soft IRQs.
    @inline(__always)
    private static func takeAll(_ priority: Priority) -> UInt {
        InterruptFlag.disable()
        defer { InterruptFlag.enable() }
        return CPUArea.takeTasklets(isHigh: priority == .high)
    }

    @inline(__always)
    private static func turn(
        _ tasklet: TaskletCore.Pointer, _ priority: Priority, _ context: borrowing SoftInterruptContext
    ) {
        Spin.interleave()
        // From here on it can be scheduled again.
        if unsafe !tasklet.pointee.exchange(TaskletCore.scheduled, TaskletCore.running),
            unsafe !beginUncommon(tasklet, priority)
        {
            return
        }
        unsafe call(tasklet, context)
        if unsafe tasklet.pointee.clear(TaskletCore.running) { wakeWaiters() }
    }

    @_semantics("no_performance_analysis") @inline(__always)
    private static func call(_ tasklet: TaskletCore.Pointer, _ context: borrowing SoftInterruptContext) {
        unsafe tasklet.pointee.handler(context, tasklet.pointee.word)
    }

    /// Lets the tasklet begin, if it may; else sees to it that it is looked at again.
    @inline(never)
    private static func beginUncommon(_ tasklet: TaskletCore.Pointer, _ priority: Priority) -> Bool {
        while true {
            let seen = unsafe tasklet.pointee.state.load(ordering: .sequentiallyConsistent)
            if unsafe seen & TaskletCore.running != 0 {
                unsafe putBack(tasklet, priority)
                SoftInterrupts.raise(priority.vector)
                return false
            }
            if unsafe seen & TaskletCore.disabledMask != 0 {
                unsafe skip(tasklet, priority, seen)
                return false
            }
            if unsafe tasklet.pointee.exchange(
                seen, seen & ~TaskletCore.scheduled | TaskletCore.running)
            {
                return true
            }
        }
    }

    private static func putBack(_ tasklet: TaskletCore.Pointer, _ priority: Priority) {
        unsafe queue(tasklet, priority)
    }

    /// A disabled tasklet: stays in the queue, unless it is being killed.
    private static func skip(_ tasklet: TaskletCore.Pointer, _ priority: Priority, _ seen: UInt32) {
        if unsafe seen & TaskletCore.dying != 0 {
            if unsafe tasklet.pointee.clear(TaskletCore.scheduled) { wakeWaiters() }
            return
        }
        unsafe putBack(tasklet, priority)
        Spin.interleave()
        // Whoever enables or kills it looks for the CPU behind changing the state; who did so before has not seen this one.
        unsafe tasklet.pointee.cpu.store(
            Int32(truncatingIfNeeded: CPU.index), ordering: .sequentiallyConsistent)
        let now = unsafe tasklet.pointee.state.load(ordering: .sequentiallyConsistent)
        if unsafe now & TaskletCore.disabledMask == 0 || now & TaskletCore.dying != 0 {
            SoftInterrupts.raise(priority.vector)
        }
    }

    @inline(never)
    static func wakeWaiters() { unsafe DeferredState.current.pointee.taskletWaiters.wakeAll() }
}
