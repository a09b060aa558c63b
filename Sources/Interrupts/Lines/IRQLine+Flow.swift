// What happens between the vector and the handlers: the flows of edge lines, of level lines (acknowledged behind the
// handlers: "fasteoi"), and of the 8259s' lines.

import Machine
import Primitives
import Synchronization

extension IRQLine {
    /// One interrupt of this line, interrupts off.
    @inline(__always)
    func handle(_ context: borrowing HardInterruptContext) {
        if isLegacy { return handleLegacy(context) }
        // Only this CPU writes this entry, and interrupts are off.
        unsafe counts[CPU.index] &+= 1
        let (isLevel, count) = enter(context)
        // An edge that comes from here on is a new interrupt. A level line would only come again
        // before its device has been served.
        if !isLevel { LocalAPIC.endOfInterrupt() }
        if count > 0 { finish(run(count, context), context) }
        if isLevel { LocalAPIC.endOfInterrupt() }
    }

    /// The flow of an 8259's line: masked and acknowledged at once, unmasked behind the handlers, since
    /// whatever is in service there keeps all lines of lower priority out.
    @inline(never)
    private func handleLegacy(_ context: borrowing HardInterruptContext) {
        guard case .legacy(let input) = chip else { return }
        guard input.isInService else { return input.acknowledge(isSpurious: true) }
        unsafe counts[CPU.index] &+= 1
        state.withLock(in: context) { $0.mask(chip) }
        input.acknowledge()
        let count = enter(context).count
        if count > 0 { finish(run(count, context), context) }
        state.withLock(in: context) { if $0.mayRun { $0.unmask(chip) } }
    }

    /// How many handlers to run: none if they run already or may not run; then the interrupt is kept.
    @_noAllocation @inline(__always)
    private func enter(_ context: borrowing HardInterruptContext) -> (isLevel: Bool, count: Int) {
        state.withLock(in: context) { state in
            let isLevel = state.wiring.isLevel
            if !state.flags.isDisjoint(with: .blockers) {
                state.postpone(chip)
                return (isLevel, 0)
            }
            state.flags.insert(.inProgress)
            return (isLevel, state.count)
        }
    }

    /// Calls the first `count` handlers; whether one of them claimed the interrupt.
    @inline(__always)
    private func run(_ count: Int, _ context: borrowing HardInterruptContext) -> Bool {
        var claimed: UInt8 = 0
        var handler = unsafe handlers
        var left = count
        if left & 1 != 0 {
            let answer = unsafe Self.call(handler, context)
            if answer == .wakeThread { unsafe wake(handler, context) }
            claimed = answer.rawValue
            unsafe handler += 1
            left &-= 1
        }
        // Two at a time: half the steps, and one look at what both answered.
        while left != 0 {
            let first = unsafe Self.call(handler, context)
            let second = unsafe Self.call(handler + 1, context)
            claimed |= first.rawValue
            claimed |= second.rawValue
            if claimed & IRQReturn.wakeThread.rawValue != 0 {
                if first == .wakeThread { unsafe wake(handler, context) }
                if second == .wakeThread { unsafe wake(handler + 1, context) }
                claimed = IRQReturn.handled.rawValue
            }
            unsafe handler += 2
            left &-= 2
        }
        return claimed != 0
    }

    /// The one indirect call on the way of an interrupt, which the compiler cannot see through.
    @_semantics("no_performance_analysis") @inline(__always)
    private static func call(
        _ handler: UnsafeMutablePointer<IRQHandler>, _ context: borrowing HardInterruptContext
    ) -> IRQReturn {
        // Below the count that was read under the lock, and `inProgress` keeps the handlers there.
        unsafe handler.pointee.function(context, handler.pointee.word)
    }

    /// Wakes the handler's thread, and keeps a one-shot line masked until that has done its work.
    @_semantics("no_performance_analysis") @inline(never)
    private func wake(
        _ handler: UnsafeMutablePointer<IRQHandler>, _ context: borrowing HardInterruptContext
    ) {
        let thread = unsafe handler.pointee.thread
        guard thread != 0, let wake = unsafe IRQThreadHook.wake else { return }
        state.withLock(in: context) { state in
            guard state.isOneShot else { return }
            state.mask(chip)
            state.threadsRunning &+= 1
        }
        // A thread that was woken before and has not begun does both in one go.
        if !wake(thread) { threadEnded(context) }
    }

    /// The end of a one-shot line's thread, or a wake-up that came to nothing.
    private func threadEnded(_ context: borrowing HardInterruptContext) {
        state.withLock(in: context) { state in
            if state.isOneShot, state.threadsRunning > 0 { state.threadsRunning &-= 1 }
        }
    }

    @inline(__always)
    private func finish(_ wasClaimed: Bool, _ context: borrowing HardInterruptContext) {
        var again = end(wasClaimed, context)
        while again > 0 { again = end(run(again, context), context) }
    }

    /// How many handlers to run once more, since an edge came meanwhile.
    @_noAllocation @inline(__always)
    private func end(_ wasClaimed: Bool, _ context: borrowing HardInterruptContext) -> Int {
        if !wasClaimed { noteUnclaimed() }
        return state.withLock(in: context) { state in
            if state.rate.isDue(wasClaimed) { state.judge(number, chip) }
            if state.flags != .inProgress, state.mayRun, state.isPending {
                state.isPending = false
                state.unmask(chip)
                return state.count
            }
            state.flags.remove(.inProgress)
            return 0
        }
    }

    @inline(never)
    private func noteUnclaimed() {
        unclaimed.wrappingAdd(1, ordering: .relaxed)
        lastUnclaimed.store(CycleClock.now, ordering: .relaxed)
    }
}

extension IRQLine.State {
    /// Keeps an interrupt that cannot be handled now. A level line comes again by itself when it is unmasked.
    @inline(never)
    mutating func postpone(_ chip: LineChip) {
        isPending = !wiring.isLevel
        mask(chip)
    }

    mutating func mask(_ chip: LineChip) {
        if !isMasked {
            chip.mask()
            isMasked = true
        }
    }

    mutating func unmask(_ chip: LineChip) {
        if isMasked, target != nil {
            chip.unmask()
            isMasked = false
        }
    }
}
