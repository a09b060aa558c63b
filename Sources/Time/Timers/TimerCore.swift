// What a timer consists of, and how it is started and stopped.
//
// A timer belongs to the queue of one CPU: `cpu` says which, and changes only while that queue's lock is held. Whoever
// wants the lock of a timer's queue takes the lock of the queue that `cpu` names and looks again. While the timer's
// function runs, the timer stays with the queue that runs it.

import Machine
import Primitives
import Synchronization

@unsafe struct TimerCore: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<TimerCore>

    /// Place in the queue, keyed by expiry. First, so that a node's address is its timer's. Queue lock.
    var node = unsafe OrderedNode()
    let cpu: Atomic<Int32>
    let isPending = Atomic<Bool>(false)
    let expiry = Atomic<UInt64>(0)
    let clock: ClockBase
    var word: UInt
    let function: HighResolutionTimer.Function

    /// `cpu` while the timer moves between queues.
    static let moving: Int32 = -1

    init(_ clock: ClockBase, _ word: UInt, _ function: @escaping HighResolutionTimer.Function) {
        unsafe self.clock = clock
        unsafe self.word = word
        unsafe self.function = function
        unsafe cpu = Atomic(0)
    }

    /// Puts the timer into this CPU's queue, from wherever it is. If its function runs just now, it stays where that is.
    static func start(_ timer: Pointer, at time: UInt64) {
        withInterruptsOff { _ in
            let here = CPU.index
            let inserted = unsafe withQueue(timer) { queue, heads in
                unsafe queue.take(&heads, timer)
                if unsafe queue.cpu != here, unsafe heads.running != timer {
                    unsafe timer.pointee.cpu.store(moving, ordering: .relaxed)
                    return false
                }
                unsafe queue.insert(&heads, timer, at: time)
                return true
            }
            if inserted { return }
            unsafe TimeState.current.pointee.queues.withRemote(here) { queue in
                unsafe queue.heads.withLockInterruptsOff { heads, _ in
                    unsafe timer.pointee.cpu.store(Int32(truncatingIfNeeded: here), ordering: .releasing)
                    unsafe queue.insert(&heads, timer, at: time)
                }
            }
        }
    }

    static func tryToCancel(_ timer: Pointer) -> HighResolutionTimer.Cancellation {
        unsafe withQueue(timer) { queue, heads in
            let wasPending = unsafe queue.take(&heads, timer)
            if unsafe heads.running == timer { return wasPending ? .cancelledWhileRunning : .running }
            return wasPending ? .cancelled : .idle
        }
    }

    /// Runs `body` under the lock of the queue that the timer belongs to.
    @inline(__always)
    private static func withQueue<R>(
        _ timer: Pointer, _ body: (borrowing TimerQueue, inout TimerQueue.Heads) -> R
    ) -> R {
        while true {
            let cpu = unsafe timer.pointee.cpu.load(ordering: .acquiring)
            if unsafe cpu == moving {
                Spin.pause()
                continue
            }
            let result = unsafe TimeState.current.pointee.queues.withRemote(Int(cpu)) { queue in
                unsafe queue.heads.withLockInterruptsOff { heads, _ -> R? in
                    guard unsafe timer.pointee.cpu.load(ordering: .relaxed) == cpu else { return nil }
                    return unsafe body(queue, &heads)
                }
            }
            if let result { return result }
        }
    }
}
