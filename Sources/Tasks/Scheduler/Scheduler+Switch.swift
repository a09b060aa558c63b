// The heart of the scheduler: choosing the next thread of this CPU and switching to it.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization

extension Scheduler {
    /// Chooses who runs next on this CPU and switches; returns when the calling thread runs again, perhaps
    /// on another CPU. Interrupts are off, and off again on return.
    @unsafe static func switchThreads(preempted: Bool) {
        let state = unsafe TaskState.current
        let cpu = CPU.index
        // Says what the caller made so.
        let off = InterruptsOff()
        let previous = unsafe Thread.currentStorage
        let mayPull = unsafe mustPull(state, cpu)
        if mayPull { unsafe pullRealTime(state, to: cpu, previous) }
        var next = unsafe choose(state, cpu, previous, preempted: preempted, off)
        if unsafe next.pointee.isIdle, unsafe pullThread(state, to: cpu) {
            // `previous` has been dealt with: it is asleep, queued, or the idle thread itself.
            unsafe next = choose(state, cpu, next, preempted: true, off)
        }
        // Whoever made a thread wait before this CPU said what it runs now may have seen something higher here.
        if unsafe !mayPull && mustPull(state, cpu) {
            unsafe next = chooseAgain(state, cpu, insteadOf: next, previous, off)
        }
        if unsafe next != previous {
            unsafe switchTo(state, cpu, from: previous, to: next)
        } else {
            unsafe settle(state, cpu, off)
        }
    }

    /// Whether real-time threads run or wait on this CPU.
    @inline(__always)
    private static func hasRealTime(_ state: TaskState.Pointer, _ cpu: Int) -> Bool {
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.runningPriority.load(ordering: .relaxed)
                | queue.waitingPriority.load(ordering: .relaxed) != 0
        }
    }

    /// Fetches real-time threads, and chooses among them and the thread that was chosen before but has not begun.
    @inline(never)
    private static func chooseAgain(
        _ state: TaskState.Pointer, _ cpu: Int, insteadOf chosen: ThreadStorage.Pointer,
        _ previous: ThreadStorage.Pointer, _ off: borrowing InterruptsOff
    ) -> ThreadStorage.Pointer {
        unsafe pullRealTime(state, to: cpu, chosen)
        let next = unsafe choose(state, cpu, chosen, preempted: true, off)
        // It has not begun, so its registers are not here: no switch lets go of it.
        if unsafe next != chosen && chosen != previous {
            let mustMove = unsafe chosen.pointee.mustMove
            unsafe chosen.pointee.mustMove = false
            unsafe chosen.pointee.onCPU.store(false, ordering: .releasing)
            if mustMove { unsafe activate(chosen, off) }
        }
        return unsafe next
    }

    /// Whether this CPU may be about to run something lower than real-time threads that wait elsewhere. Those found this CPU
    /// running at least what it announced, so it need not look as long as it has that itself.
    @inline(__always)
    private static func mustPull(_ state: TaskState.Pointer, _ cpu: Int) -> Bool {
        if unsafe state.pointee.realTimeWaiting.load(ordering: .sequentiallyConsistent) == 0 { return false }
        return unsafe state.pointee.queues.withRemote(cpu) { queue in
            let waiting = unsafe queue.waitingPriority.load(ordering: .relaxed)
            let isThrottled = unsafe queue.throttledUntil.load(ordering: .relaxed) != 0
            return unsafe isThrottled || waiting == 0
                || waiting < queue.runningPriority.load(ordering: .relaxed)
        }
    }

    private static func choose(
        _ state: TaskState.Pointer, _ cpu: Int, _ previous: ThreadStorage.Pointer, preempted: Bool,
        _ off: borrowing InterruptsOff
    ) -> ThreadStorage.Pointer {
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            // What is put here from now on asks for another look; what was put here before is seen below.
            unsafe queue.wantsLook.store(false, ordering: .sequentiallyConsistent)
            PreemptCount.clearNeedResched()
            let cycles = CycleClock.cycles
            return unsafe queue.threads.withLock(off) { threads in
                unsafe queue.choose(&threads, cpu, previous, preempted: preempted, cycles)
            }
        }
    }

    /// Switches stacks, and with them everything that belongs to a thread. Interrupts are off.
    @inline(__always)
    private static func switchTo(
        _ state: TaskState.Pointer, _ cpu: Int, from previous: ThreadStorage.Pointer,
        to next: ThreadStorage.Pointer
    ) {
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            let switches = unsafe queue.switches.load(ordering: .relaxed)
            unsafe queue.switches.store(switches &+ 1, ordering: .relaxed)
            unsafe UserState.switchOver(queue, from: previous, to: next)
        }
        CPUArea.currentThread = UInt(bitPattern: next)
        // Both contexts lie in type-stable storage, and the stack of `next` belongs to it.
        let left = unsafe withUnsafeMutablePointer(to: &previous.pointee.context) { from in
            unsafe withUnsafeMutablePointer(to: &next.pointee.context) { to in
                unsafe ThreadContext.switchStacks(from: from, to: to, carrying: UInt(bitPattern: previous))
            }
        }
        finishSwitch(from: left)
    }

    /// First act of a thread on its CPU: lets go of the one that ran before. Interrupts are off.
    @inline(__always)
    static func finishSwitch(from left: UInt) {
        // Says what the switch left so.
        let off = InterruptsOff()
        // The switch carried the address of the storage it left.
        let previous = unsafe ThreadStorage.Pointer(bitPattern: left).unsafelyUnwrapped
        // Decided before the thread is let go: afterwards others may run it, and end it.
        let isDead = unsafe previous.pointee.state.load(ordering: .relaxed) == ThreadState.dead.rawValue
        let mustMove = unsafe previous.pointee.mustMove
        unsafe previous.pointee.mustMove = false
        unsafe previous.pointee.onCPU.store(false, ordering: .releasing)
        if isDead { unsafe Thread.reclaim(previous) }
        if mustMove { unsafe activate(previous, off) }
        let state = unsafe TaskState.current
        let cpu = CPU.index
        unsafe settle(state, cpu, off)
    }

    /// Where real-time threads run or wait: what more there is than the running thread goes elsewhere if it can.
    @inline(__always)
    private static func settle(_ state: TaskState.Pointer, _ cpu: Int, _ off: borrowing InterruptsOff) {
        guard unsafe hasRealTime(state, cpu), unsafe state.pointee.cpuCount > 1 else { return }
        unsafe settleRealTime(state, cpu, off)
    }

    /// Puts the running thread behind all others of its CPU. Interrupts are off.
    static func stepBack() {
        let state = unsafe TaskState.current
        unsafe state.pointee.queues.withRemote(CPU.index) { queue in
            unsafe queue.threads.withLockInterruptsOff { threads, _ in
                unsafe threads.charge(CycleClock.now)
                unsafe queue.statistics.yields.count()
                if let current = unsafe threads.current, unsafe current.pointee.isRealTime {
                    unsafe current.pointee.goesBehind = true
                    return
                }
                guard let current = unsafe threads.current, let first = unsafe threads.tree.first else {
                    return
                }
                if unsafe current.pointee.node.key < first.pointee.key {
                    unsafe current.pointee.node.key = first.pointee.key
                }
            }
        }
    }
}
