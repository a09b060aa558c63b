// What happens between the vector and the handlers: the flows of edge and level lines.

import Machine
import Primitives
import Synchronization

extension IRQLine {
    /// One interrupt of this line, interrupts off.
    @inline(__always)
    func handle(_ context: borrowing HardInterruptContext) {
        // Only this CPU writes this entry, and interrupts are off.
        unsafe counts[CPU.index] &+= 1
        let (isLevel, count) = enter(context)
        // An edge that comes from here on is a new interrupt. A level line would only come again
        // before its device has been served.
        if !isLevel { LocalAPIC.endOfInterrupt() }
        if count > 0 {
            let wasClaimed = run(count, context)
            finish(wasClaimed, context)
        }
        if isLevel { LocalAPIC.endOfInterrupt() }
    }

    /// How many handlers to run: none if they run already or may not run; then the interrupt is kept.
    @_noAllocation @inline(__always)
    private func enter(_ context: borrowing HardInterruptContext) -> (isLevel: Bool, count: Int) {
        let input = input
        return state.withLock(in: context) { state in
            let isLevel = state.wiring.isLevel
            if state.inProgress || state.disableDepth > 0 || state.count == 0 {
                state.postpone(input)
                return (isLevel, 0)
            }
            state.inProgress = true
            return (isLevel, state.count)
        }
    }

    /// Calls the first `count` handlers; whether one of them claimed the interrupt.
    @inline(__always)
    private func run(_ count: Int, _ context: borrowing HardInterruptContext) -> Bool {
        var claimed = false
        var index = 0
        while index < count {
            if call(index, context) == .handled { claimed = true }
            index &+= 1
        }
        return claimed
    }

    /// The one indirect call on the way of an interrupt, which the compiler cannot see through.
    @_semantics("no_performance_analysis") @inline(__always)
    private func call(_ index: Int, _ context: borrowing HardInterruptContext) -> IRQReturn {
        // The index is below the count that was read under the lock, and `inProgress` keeps the handlers there.
        let handler = unsafe handlers + index
        return unsafe handler.pointee.function(context, handler.pointee.word)
    }

    @inline(__always)
    private func finish(_ wasClaimed: Bool, _ context: borrowing HardInterruptContext) {
        var again = end(wasClaimed, context)
        while again > 0 { again = end(run(again, context), context) }
    }

    /// How many handlers to run once more, since an edge came meanwhile.
    @_noAllocation @inline(__always)
    private func end(_ wasClaimed: Bool, _ context: borrowing HardInterruptContext) -> Int {
        if !wasClaimed { unclaimed.wrappingAdd(1, ordering: .relaxed) }
        let (input, number) = (input, number)
        return state.withLock(in: context) { state in
            state.watch(wasClaimed, number, input)
            if state.isPending, state.disableDepth == 0 {
                state.isPending = false
                state.unmask(input)
                return state.count
            }
            state.inProgress = false
            return 0
        }
    }
}

extension IRQLine.State {
    /// Keeps an interrupt that cannot be handled now. A level line comes again by itself when it is unmasked.
    @inline(never)
    mutating func postpone(_ input: IOAPICInput) {
        isPending = !wiring.isLevel
        mask(input)
    }

    mutating func mask(_ input: IOAPICInput) {
        if !isMasked {
            input.mask()
            isMasked = true
        }
    }

    mutating func unmask(_ input: IOAPICInput) {
        if isMasked, target != nil {
            input.unmask()
            isMasked = false
        }
    }

    /// A line that nobody claims 99,900 times of 100,000 would keep this CPU busy for ever: it is masked.
    @inline(__always)
    mutating func watch(_ wasClaimed: Bool, _ number: Int, _ input: IOAPICInput) {
        recent &+= 1
        if !wasClaimed { recentUnclaimed &+= 1 }
        if recent >= 100_000 { judge(number, input) }
    }

    @_semantics("no_performance_analysis") @inline(never)
    private mutating func judge(_ number: Int, _ input: IOAPICInput) {
        if recentUnclaimed > 99_900 {
            printk(.emergency, "irq \(number): nobody cared; the line is disabled")
            isStormed = true
            disableDepth &+= 1
            mask(input)
        }
        recent = 0
        recentUnclaimed = 0
    }
}
