// The battery clock's interrupts (line 8): counted, and kept for the one program that has /dev/rtc0 open.
//
// The registers are the wall clock's (`WallClock.withHardware`). `state` is taken inside of that, never around it.

import Interrupts
import Machine
import Primitives
import Tasks
import Time

public enum RTC {
    private static let line = 8

    /// How often what came since boot.
    public struct Statistics: Sendable {
        /// Interrupts in which the clock said that it had raised the line (register C, bit 7).
        public var interrupts: UInt64 = 0
        public var periodic: UInt64 = 0
        public var update: UInt64 = 0
        public var alarm: UInt64 = 0
        /// Interrupts of the line that the clock knew nothing of.
        public var foreign: UInt64 = 0
    }

    private struct State {
        var on: RealTimeClock.Interrupts = []
        var frequency = 1024
        /// What a read gets: flags of register C, and how many came, times 256. 0 for nothing.
        var data: UInt64 = 0
        var alarm = CalendarTime(secondsSince1970: 0)
        var statistics = Statistics()
    }

    /// Interrupts off.
    private static let state = SpinLock(State())
    private static let readers = WaitQueue()

    /// Whether there is a clock whose line could be had.
    nonisolated(unsafe) private static var wasFound = false
    // Not written after boot.
    public static var isPresent: Bool { unsafe wasFound }

    /// Gets the clock's line, with all of its interrupts off. Boot, after the wall clock's start.
    public static func initialize() {
        guard WallClock.read() != nil else { return }
        let handler = IRQHandler("rtc0") { @Sendable _, _ in RTC.interrupt() }
        _ = WallClock.withHardware { clock in
            clock.switchOff(.all)
            clock.setFrequency(1024)
            return clock.takeInterrupts()
        }
        do throws(IRQError) {
            _ = try IRQ.request(line: line, handler: handler)
        } catch { return printk(.warning, "rtc0: interrupt line \(line) cannot be had") }
        // Boot: nobody reads yet.
        unsafe wasFound = true
        printk(
            .info, "rtc0: registered, alarms up to \(isMonthly ? "a month" : "a day" as StaticString) ahead")
    }

    private static var isMonthly: Bool { WallClock.withHardware { $0.alarmsHaveDays } ?? false }

    // MARK: The top half

    @_semantics("no_performance_analysis") @inline(never)
    private static func interrupt() -> IRQReturn {
        // Locks and queue have been made at boot.
        let came = WallClock.withHardware { clock in
            let came = clock.takeInterrupts()
            // An alarm comes once; the clock would repeat it every day.
            if came.contains(.requested), came.contains(.alarm) { clock.switchOff(.alarm) }
            return came
        }
        guard let came, came.contains(.requested) else {
            state.withLockInterruptsOff { state, _ in state.statistics.foreign &+= 1 }
            return .none
        }
        state.withLockInterruptsOff { state, _ in note(came, &state) }
        readers.wakeAll()
        return .handled
    }

    @_noAllocation
    private static func note(_ came: RealTimeClock.Interrupts, _ state: inout State) {
        let events = came.intersection(state.on)
        state.statistics.interrupts &+= 1
        var count: UInt64 = 0
        if events.contains(.periodic) {
            state.statistics.periodic &+= 1
            count &+= 1
        }
        if events.contains(.update) {
            state.statistics.update &+= 1
            count &+= 1
        }
        if events.contains(.alarm) {
            state.statistics.alarm &+= 1
            count &+= 1
            state.on.remove(.alarm)
        }
        if count == 0 { return }
        let flags = events.rawValue | RealTimeClock.Interrupts.requested.rawValue
        state.data = (state.data &+ count << 8) | UInt64(flags)
    }

    // MARK: For /dev/rtc0. Task context.

    public static var statistics: Statistics { state.withLockInterruptsOff { state, _ in state.statistics } }
    public static var on: RealTimeClock.Interrupts { state.withLockInterruptsOff { state, _ in state.on } }
    public static var frequency: Int { state.withLockInterruptsOff { state, _ in state.frequency } }
    public static var alarm: CalendarTime { state.withLockInterruptsOff { state, _ in state.alarm } }

    /// What came since the last call; nil for nothing.
    public static func takeEvents() -> UInt64? {
        state.withLockInterruptsOff { state, _ in
            if state.data == 0 { return nil }
            defer { state.data = 0 }
            return state.data
        }
    }

    public static var hasEvents: Bool { state.withLockInterruptsOff { state, _ in state.data != 0 } }

    /// Woken when something came.
    public static func withReaders<R, E>(_ body: (borrowing WaitQueue) throws(E) -> R) throws(E) -> R {
        try body(readers)
    }

    public static func switchOn(_ interrupts: RealTimeClock.Interrupts) {
        _ = WallClock.withHardware { clock in
            let came = clock.takeInterrupts()
            state.withLockInterruptsOff { state, _ in
                // What came before it was wanted is none; the others' are kept.
                if came.contains(.requested) { note(came, &state) }
                state.on.formUnion(interrupts)
            }
            clock.switchOn(interrupts)
        }
    }

    public static func switchOff(_ interrupts: RealTimeClock.Interrupts) {
        _ = WallClock.withHardware { clock in
            // Switching off takes back what the clock has raised and nobody has taken.
            let came = clock.takeInterrupts()
            clock.switchOff(interrupts)
            state.withLockInterruptsOff { state, _ in
                if came.contains(.requested) { note(came, &state) }
                state.on.subtract(interrupts)
            }
        }
        readers.wakeAll()
    }

    /// Sets the rate of the periodic interrupt, in Hz. Throws `.invalid` unless it is a power of two from 2 to 8192.
    public static func setFrequency(_ frequency: Int) throws(Errno) {
        guard RealTimeClock.frequencies.contains(frequency), frequency & (frequency - 1) == 0 else {
            throw .invalid
        }
        state.withLockInterruptsOff { state, _ in state.frequency = frequency }
        _ = WallClock.withHardware { $0.setFrequency(frequency) }
    }

    /// Sets when the alarm comes, and whether it is on. Throws `.invalid` for a time further away than the clock can tell.
    public static func setAlarm(_ time: CalendarTime, isOn: Bool) throws(Errno) {
        guard time.isValid, let now = WallClock.read() else { throw .invalid }
        let away = time.secondsSince1970 - now.secondsSince1970
        let reach: Int64 = isMonthly ? 28 * 86400 : 86400
        guard away <= reach else { throw .invalid }
        if isOn, away <= 0 { throw .timerExpired }
        switchOff(.alarm)
        state.withLockInterruptsOff { state, _ in state.alarm = time }
        _ = WallClock.withHardware { $0.setAlarm(time) }
        if isOn { switchOn(.alarm) }
    }
}
