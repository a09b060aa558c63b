// Lines that come too often. A line that nobody claims 99,900 times of 100,000 would keep its CPU busy for ever: it is
// masked with a report and from then on polled, so that a device behind it still works, slowly. A line that is claimed
// but comes faster than anything could be served is held back until the next poll: a device that never lets its level go
// gets 512 interrupts each 10 ms, and programs the rest.

import Machine
import Primitives

/// Who polls: asked once there is a line to poll. Set once at boot.
public enum IRQPollHook {
    /// Calls `IRQ.poll` every 10 ms until that returns false. Any context but NMI.
    nonisolated(unsafe) public static var start: (@convention(c) () -> Void)? = nil
}

/// How many interrupts a line brings, and how many of them nobody claims.
struct InterruptRate {
    /// Interrupts between two looks at the time, and between those at a line that was just held back: what a storm gets
    /// between two polls.
    private static let burst: UInt32 = 8192
    private static let shortBurst: UInt32 = 512
    /// Nanoseconds an interrupt below which a burst is a storm. The device of an edge has to do something for each, and may
    /// be fast; that of a level has only to do nothing.
    private static let edgePace: UInt64 = 250
    private static let levelPace: UInt64 = 10_000
    /// Interrupts between two looks at who claimed them, and how many unclaimed ones are too many.
    private static let window: UInt32 = 100_000
    private static let unclaimedLimit: UInt32 = 99_900

    /// Until the next look.
    private var left = burst
    private var size = burst
    private var seen: UInt32 = 0
    private var unclaimed: UInt32 = 0
    private var since: UInt64 = 0

    enum Verdict { case fine, unclaimed, storm }

    /// Counts an interrupt; whether it is time for a verdict.
    @inline(__always)
    mutating func isDue(_ wasClaimed: Bool) -> Bool {
        if !wasClaimed { unclaimed &+= 1 }
        left &-= 1
        return left == 0
    }

    mutating func verdict(_ now: UInt64, isLevel: Bool) -> Verdict {
        seen &+= size
        var verdict = Verdict.fine
        let limit = UInt64(size) &* (isLevel ? Self.levelPace : Self.edgePace)
        if seen >= Self.window {
            if unclaimed > Self.unclaimedLimit { verdict = .unclaimed }
            seen = 0
            unclaimed = 0
        } else if since != 0, now &- since < limit {
            verdict = .storm
        }
        since = now
        size = min(verdict == .storm ? Self.shortBurst : Self.burst, Self.window &- seen)
        left = size
        return verdict
    }

    /// The time that the line was held back says nothing about its rate.
    mutating func resume(_ now: UInt64) { since = now }
}

extension IRQLine.State {
    @_semantics("no_performance_analysis") @inline(never)
    mutating func judge(_ number: Int, _ chip: LineChip) {
        switch rate.verdict(CycleClock.now, isLevel: wiring.isLevel) {
        case .fine: break
        case .unclaimed: disable(number, chip)
        case .storm: throttle(number, chip)
        }
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
                state.rate.resume(CycleClock.now)
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
