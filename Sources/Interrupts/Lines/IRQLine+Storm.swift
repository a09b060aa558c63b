// Lines that come too often. A line that nobody claims 99,900 times of 100,000 would keep its CPU busy for ever: it is
// masked with a report and from then on polled, so that a device behind it still works, slowly. A line that is claimed
// but comes faster than anything could be served is held back until the next poll.

import Machine
import Primitives

/// Who polls: asked once there is a line to poll. Set once at boot.
public enum IRQPollHook {
    /// Calls `IRQ.poll` every 10 ms until that returns false. Any context but NMI.
    nonisolated(unsafe) public static var start: (@convention(c) () -> Void)? = nil
}

extension IRQLine.State {
    /// Interrupts between two looks, and the nanoseconds below which so many are a storm: 200 times as many as a network
    /// card brings.
    private static let burst = 8192
    private static let burstTime: UInt64 = 2_000_000
    private static let window = 100_000
    private static let unclaimedLimit = 99_900

    @inline(__always)
    mutating func watch(_ wasClaimed: Bool, _ number: Int, _ chip: LineChip) {
        recent &+= 1
        if !wasClaimed { recentUnclaimed &+= 1 }
        if recent & (Self.burst &- 1) == 0 || recent >= Self.window { judge(number, chip) }
    }

    @_semantics("no_performance_analysis") @inline(never)
    private mutating func judge(_ number: Int, _ chip: LineChip) {
        let now = CycleClock.now
        if recent >= Self.window {
            if recentUnclaimed > Self.unclaimedLimit { disable(number, chip) }
            recent = 0
            recentUnclaimed = 0
        } else if since != 0, now &- since < Self.burstTime {
            throttle(number, chip)
        }
        since = now
    }

    private mutating func disable(_ number: Int, _ chip: LineChip) {
        printk(.emergency, "irq \(number): nobody cared; the line is disabled and polled")
        isStormed = true
        disableDepth &+= 1
        mask(chip)
        unsafe IRQPollHook.start?()
    }

    private mutating func throttle(_ number: Int, _ chip: LineChip) {
        guard let start = unsafe IRQPollHook.start else { return }
        if !isThrottled { printk(.debug, "irq \(number): more than can be served; held back") }
        isThrottled = true
        // An edge that the mask swallows is made up for when the line is let go.
        isPending = !wiring.isLevel
        mask(chip)
        start()
    }
}

extension IRQLine {
    /// Lets a line go that was held back, and asks the handlers of one that nobody claimed; whether there is need to come
    /// again.
    func poll(_ context: borrowing HardInterruptContext) -> Bool {
        let (handlers, isPolled) = state.withLock(in: context) { state -> (Int, Bool) in
            if state.isThrottled {
                state.isThrottled = false
                resume(&state)
            }
            guard state.isStormed, !state.inProgress, state.count > 0 else { return (0, state.isStormed) }
            state.inProgress = true
            return (state.count, true)
        }
        guard handlers > 0 else { return isPolled }
        var index = 0
        while index < handlers {
            // Below the count, and `inProgress` keeps the handlers there.
            let handler = unsafe self.handlers[index]
            _ = handler.function(context, handler.word)
            index += 1
        }
        state.withLock(in: context) { $0.inProgress = false }
        return true
    }

    /// Unmasks the line if nobody wants it masked, and brings an edge that came meanwhile to its handlers.
    func resume(_ state: inout State) {
        guard state.mayRun, state.count > 0 else { return }
        state.unmask(chip)
        if state.isPending, !state.inProgress, let target = state.target {
            state.isPending = false
            if isLegacy {
                // The 8259 cannot be told to send: it keeps the edges that come while it masks.
                return
            }
            LocalAPIC.send(vector: target.vector, to: target.apicID)
        }
    }
}
