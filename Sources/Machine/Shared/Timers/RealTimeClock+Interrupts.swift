// The clock's three interrupts on line 8: at a rate (periodic), at a time of day (alarm), and after each update, once a
// second. Reading register C takes the flags and lets the line fall.

extension RealTimeClock {
    /// Bits of registers B (which interrupts are on) and C (which came).
    public struct Interrupts: OptionSet, Sendable {
        public let rawValue: UInt8
        @inline(__always) public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let update = Interrupts(rawValue: 0x10)
        public static let alarm = Interrupts(rawValue: 0x20)
        public static let periodic = Interrupts(rawValue: 0x40)
        public static let all: Interrupts = [.update, .alarm, .periodic]
        /// Of register C: one that is on has come.
        public static let requested = Interrupts(rawValue: 0x80)
    }

    /// Rates that the periodic interrupt can have, in Hz: powers of two.
    public static let frequencies: ClosedRange<Int> = 2...8192
    /// What counts at every hour, minute or second.
    private static let always: UInt8 = 0xc0

    /// Which came since the last call. Any context but NMI, like all of these.
    @_noAllocation @inline(__always)
    public func takeInterrupts() -> Interrupts { Interrupts(rawValue: read(Register.statusC)) }

    @_noAllocation @inline(__always)
    public func switchOn(_ interrupts: Interrupts) {
        write(Register.statusB, read(Register.statusB) | interrupts.rawValue)
    }

    @_noAllocation @inline(__always)
    public func switchOff(_ interrupts: Interrupts) {
        write(Register.statusB, read(Register.statusB) & ~interrupts.rawValue)
    }

    /// Sets the rate of the periodic interrupt; a power of two of `frequencies`.
    public func setFrequency(_ frequency: Int) {
        // Rate 3 is 8192 Hz, each further one half of that.
        let rate = UInt8(truncatingIfNeeded: 16 - frequency.trailingZeroBitCount)
        write(Register.statusA, read(Register.statusA) & 0x70 | rate & 15)
    }

    /// Whether `time` can be told from others up to a day ahead only.
    public var alarmsHaveDays: Bool { extras.alarmDay != nil }

    /// Sets when the alarm comes: the next such time of day, or with a day register, of the month.
    public func setAlarm(_ time: CalendarTime) {
        let format = format
        write(Register.alarmHours, format.encodedHour(time.hour))
        write(Register.alarmMinutes, format.encoded(time.minute))
        write(Register.alarmSeconds, format.encoded(time.second))
        if let day = extras.alarmDay { write(day, format.encoded(time.day)) }
    }

    /// Hour, minute and second of the alarm; nil for each that counts always.
    public var alarm: (hour: Int?, minute: Int?, second: Int?) {
        let format = format
        func value(_ register: UInt8) -> UInt8? {
            let raw = read(register)
            return raw & Self.always == Self.always ? nil : raw
        }
        return (
            value(Register.alarmHours).map { format.hour($0) },
            value(Register.alarmMinutes).map { format.number($0) },
            value(Register.alarmSeconds).map { format.number($0) }
        )
    }
}
