// The wall clock's start and its keeping: the battery clock.

import Machine
import Primitives

public enum WallClock {
    /// Of the battery clock; nobody else selects its registers.
    private static let clock = SpinLock<RealTimeClock?>(nil)

    /// Sets the wall clock from the battery clock. Boot, after `Time.boot`. False (and the wall clock begins at 1970) if
    /// there is no such clock or its time makes no sense.
    public static func start(_ hardware: RealTimeClock) -> Bool {
        clock.withLockInterruptsOff { clock, _ in clock = hardware }
        guard let time = read() else { return false }
        let seconds = time.secondsSince1970
        guard seconds >= 0 else { return false }
        Clock.setRealtime(UInt64(seconds) &* 1_000_000_000)
        return true
    }

    /// What the battery clock shows; nil if it cannot be read. Takes up to a few milliseconds with interrupts off.
    public static func read() -> CalendarTime? {
        clock.withLockInterruptsOff { clock, _ in clock?.read() }
    }

    /// Sets the battery clock; false if there is none.
    public static func set(_ time: CalendarTime) -> Bool {
        guard time.isValid else { return false }
        return clock.withLockInterruptsOff { clock, _ in
            guard let clock else { return false }
            clock.set(time)
            return true
        }
    }
}
