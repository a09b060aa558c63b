// What a tasklet consists of.

import Machine
import Primitives
import Synchronization

/// One word of state: so one instruction says whether a tasklet may begin, and lets it begin.
@unsafe struct TaskletCore: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<TaskletCore>

    /// The bits below, and the count of those who have disabled it.
    let state: Atomic<UInt32>
    /// The CPU in whose queue it lies disabled.
    let cpu = Atomic<Int32>(0)
    /// Address of the next in the queue of a CPU, which owns it.
    var next: UInt = 0
    let name: StaticString
    let word: UInt
    let handler: Tasklet.Handler

    /// In a queue, or about to be. Whoever sets it queues the tasklet; cleared as the handler begins.
    static let scheduled: UInt32 = 1
    /// One CPU calls the handler.
    static let running: UInt32 = 2
    /// Is being killed: cannot be scheduled.
    static let dying: UInt32 = 4
    /// Has been killed: scheduling it is a mistake.
    static let dead: UInt32 = 8
    /// One of those who have disabled it; as long as there are some the handler does not begin.
    static let disabled: UInt32 = 1 << 8
    static let disabledMask: UInt32 = 0x7fff_ff00
    /// Somebody waits for a change: whoever clears one of the others wakes them. The sign, which is the cheapest to look at.
    static let awaited: UInt32 = 1 << 31

    init(
        _ name: StaticString, _ enabled: Bool, _ word: UInt, _ handler: @escaping Tasklet.Handler
    ) {
        unsafe self.name = name
        unsafe self.word = word
        unsafe self.handler = handler
        unsafe state = Atomic(enabled ? 0 : Self.disabled)
    }

    /// Sets `scheduled`; true if it was clear, and the caller is to queue the tasklet.
    @inline(__always)
    borrowing func claim() -> Bool {
        Spin.interleave()
        if unsafe exchange(0, Self.scheduled) { return true }
        return unsafe claimUncommon()
    }

    /// The same of one that runs, is disabled, is awaited, or cannot be scheduled.
    @inline(never)
    private borrowing func claimUncommon() -> Bool {
        var seen = unsafe state.load(ordering: .relaxed)
        while true {
            if unsafe seen & (Self.scheduled | Self.dying) != 0 { return unsafe refuse(seen) }
            let (done, now) = unsafe state.compareExchange(
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

    /// Changes the whole state if it is as expected.
    @inline(__always)
    borrowing func exchange(_ expected: UInt32, _ desired: UInt32) -> Bool {
        unsafe state.compareExchange(
            expected: expected, desired: desired, ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// Clears bits. With nobody waiting it is the last access: from then on a killed tasklet may be gone.
    /// - Returns: whether somebody waits.
    @inline(__always)
    borrowing func clear(_ bits: UInt32) -> Bool {
        Spin.interleave()
        return unsafe Int32(
            bitPattern: state.bitwiseAnd(~bits, ordering: .sequentiallyConsistent).newValue) < 0
    }
}
