// What a tasklet consists of.

import Machine
import Primitives
import Synchronization

@unsafe struct TaskletCore: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<TaskletCore>

    /// The bits below.
    let state = Atomic<UInt32>(0)
    /// Above zero: the handler must not begin.
    let disableCount: Atomic<Int32>
    /// The CPU in whose queue it is or was last. Written by whoever set `scheduled`.
    let cpu = Atomic<Int32>(0)
    /// The next in that queue, whose CPU owns it.
    var next: Pointer? = nil
    let name: StaticString
    let word: UInt
    let handler: Tasklet.Handler

    /// In a queue, or about to be. Whoever sets it queues the tasklet; cleared before the handler begins.
    static let scheduled: UInt32 = 1
    /// One CPU calls the handler, or is looking whether it may.
    static let running: UInt32 = 2
    /// Somebody waits for a change: whoever clears one of the others wakes them.
    static let awaited: UInt32 = 4
    /// Is being killed: cannot be scheduled.
    static let dying: UInt32 = 8
    /// Has been killed: scheduling it is a mistake.
    static let dead: UInt32 = 16

    init(
        _ name: StaticString, _ enabled: Bool, _ word: UInt, _ handler: @escaping Tasklet.Handler
    ) {
        unsafe self.name = name
        unsafe self.word = word
        unsafe self.handler = handler
        unsafe disableCount = Atomic(enabled ? 0 : 1)
    }

    /// Sets `scheduled`; true if it was clear, and the caller is to queue the tasklet.
    @inline(__always)
    borrowing func claim() -> Bool {
        Spin.interleave()
        var seen = unsafe state.load(ordering: .relaxed)
        while true {
            if unsafe seen & (Self.scheduled | Self.dying) != 0 { return unsafe refuse(seen) }
            let (done, now) = unsafe state.weakCompareExchange(
                expected: seen, desired: seen | Self.scheduled, ordering: .sequentiallyConsistent)
            if done { return true }
            seen = now
        }
    }

    @_semantics("no_performance_analysis") @inline(never)
    private borrowing func refuse(_ seen: UInt32) -> Bool {
        if unsafe seen & Self.dead != 0 {
            let name = unsafe self.name
            printk(.error, "tasklet \(name): scheduled after it was killed")
        }
        return false
    }

    /// Sets `running`; false if another CPU has it.
    @inline(__always)
    borrowing func tryToRun() -> Bool {
        Spin.interleave()
        return unsafe state.bitwiseOr(Self.running, ordering: .sequentiallyConsistent).oldValue & Self.running
            == 0
    }

    /// Clears bits. With nobody waiting it is the last access: from then on a killed tasklet may be gone.
    /// - Returns: whether somebody waits.
    @inline(__always)
    borrowing func clear(_ bits: UInt32) -> Bool {
        Spin.interleave()
        return unsafe state.bitwiseAnd(~bits, ordering: .sequentiallyConsistent).oldValue & Self.awaited != 0
    }
}
