// The wall clock's start and its keeping: the battery clock.

import Machine
import Primitives

public enum WallClock {
    /// The battery clock; nobody else selects its registers. Any context but NMI, interrupts off, a few microseconds
    /// at a time: its interrupt comes up to 8192 times a second.
    private static let clock = SpinLock<RealTimeClock?>(nil)

    /// An update takes 2 ms, and nothing follows for most of a second.
    private static let attempts = 200
    private static let pause = 50

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

    /// Runs `body` with the battery clock's registers, interrupts off; nil if there is none.
    @inline(__always)
    public static func withHardware<R>(_ body: (RealTimeClock) -> R) -> R? {
        clock.withLockInterruptsOff { clock, _ in clock.map(body) }
    }

    /// What the battery clock shows; nil if it cannot be read. Takes up to a few milliseconds. Boot or task context.
    public static func read() -> CalendarTime? {
        for _ in 0..<attempts {
            switch withHardware({ $0.attemptRead() }) {
            case .time(let time): return time
            case .busy: Delay.microseconds(pause)
            case .invalid, nil: return nil
            }
        }
        return nil
    }

    /// Sets the battery clock; false if there is none, or it cannot show that time.
    public static func set(_ time: CalendarTime) -> Bool {
        guard time.isValid else { return false }
        return withHardware { clock in
            guard clock.years.contains(time.year) else { return false }
            clock.set(time)
            return true
        } ?? false
    }
}
