// The clock that runs on a battery: MC146818 and its successors, read and set through ports 0x70 and 0x71.
//
// Reading does not tear: while the clock updates itself (register A, bit 7) its registers change, so they are read
// outside an update, twice, until both readings agree. Waiting for the end of an update, which takes up to two
// milliseconds, is the caller's, who lets others at the registers meanwhile.

/// The real-time clock. The caller keeps others away: one register is selected, then read. Interrupts and alarms are in
/// `RealTimeClock+Interrupts.swift`.
public struct RealTimeClock: Sendable {
    /// Registers that only some clocks have, as the FADT tells; nil where there is none.
    public struct Extras: Equatable, Sendable {
        public var century: UInt8?
        /// Day of the month of the alarm.
        public var alarmDay: UInt8?

        public init(century: UInt8? = nil, alarmDay: UInt8? = nil) {
            self.century = century
            self.alarmDay = alarmDay
        }
    }

    let extras: Extras

    @inline(__always) private var index: Port { Port(0x70) }
    @inline(__always) private var data: Port { Port(0x71) }

    enum Register {
        static let seconds: UInt8 = 0
        static let alarmSeconds: UInt8 = 1
        static let minutes: UInt8 = 2
        static let alarmMinutes: UInt8 = 3
        static let hours: UInt8 = 4
        static let alarmHours: UInt8 = 5
        static let weekday: UInt8 = 6
        static let day: UInt8 = 7
        static let month: UInt8 = 8
        static let year: UInt8 = 9
        static let statusA: UInt8 = 10
        static let statusB: UInt8 = 11
        static let statusC: UInt8 = 12
    }

    private static let updateInProgress: UInt8 = 0x80
    private static let setInhibitsUpdates: UInt8 = 0x80
    private static let isBinary: UInt8 = 0x04
    private static let is24Hour: UInt8 = 0x02
    /// All bits of the divider chain: it stands still.
    private static let dividerReset: UInt8 = 0x70
    /// Keeps NMIs on (bit 7 clear) while a register is selected.
    private static let selectMask: UInt8 = 0x7f

    public init(_ extras: Extras) { self.extras = extras }

    @inline(__always)
    func read(_ register: UInt8) -> UInt8 {
        index.write8(register & Self.selectMask)
        return data.read8()
    }

    @inline(__always)
    func write(_ register: UInt8, _ value: UInt8) {
        index.write8(register & Self.selectMask)
        data.write8(value)
    }

    /// What the registers say, raw.
    private struct Raw: Equatable {
        var second: UInt8
        var minute: UInt8
        var hour: UInt8
        var day: UInt8
        var month: UInt8
        var year: UInt8
        var century: UInt8
    }

    private func readRaw() -> Raw {
        Raw(
            second: read(Register.seconds), minute: read(Register.minutes), hour: read(Register.hours),
            day: read(Register.day), month: read(Register.month), year: read(Register.year),
            century: extras.century.map { read($0) } ?? 0)
    }

    /// What an attempt to read gave.
    public enum Reading: Equatable, Sendable {
        case time(CalendarTime)
        /// The clock is updating itself, or did so meanwhile: to be tried again, for up to 3 ms.
        case busy
        /// There is no clock, or it shows a time that does not exist.
        case invalid
    }

    /// Reads the time if no update is under way.
    public func attemptRead() -> Reading {
        // A port without a device reads as all ones, and so would be in an update for ever.
        if read(Register.statusA) == 0xff, read(Register.statusB) == 0xff { return .invalid }
        guard !isUpdating else { return .busy }
        let first = readRaw()
        guard !isUpdating, readRaw() == first else { return .busy }
        return decode(first).map { .time($0) } ?? .invalid
    }

    private var isUpdating: Bool { read(Register.statusA) & Self.updateInProgress != 0 }

    /// How numbers and hours are written.
    struct Format {
        let isBinary: Bool
        let is24Hour: Bool

        func number(_ value: UInt8) -> Int {
            isBinary ? Int(value) : Int(value >> 4) * 10 + Int(value & 15)
        }

        func encoded(_ value: Int) -> UInt8 {
            UInt8(truncatingIfNeeded: isBinary ? value : value / 10 * 16 + value % 10)
        }

        func hour(_ raw: UInt8) -> Int {
            if is24Hour { return number(raw) }
            // 12 a.m. is hour 0, 12 p.m. hour 12.
            return number(raw & ~afternoon) % 12 + (raw & afternoon != 0 ? 12 : 0)
        }

        func encodedHour(_ hour: Int) -> UInt8 {
            if is24Hour { return encoded(hour) }
            let twelve = hour % 12 == 0 ? 12 : hour % 12
            return encoded(twelve) | (hour >= 12 ? afternoon : 0)
        }
    }

    var format: Format {
        let status = read(Register.statusB)
        return Format(isBinary: status & Self.isBinary != 0, is24Hour: status & Self.is24Hour != 0)
    }

    private func decode(_ raw: Raw) -> CalendarTime? {
        let format = format
        var year = format.number(raw.year)
        let century = format.number(raw.century)
        if extras.century != nil, century >= 19, century < 100 {
            year += century * 100
        } else {
            // Two digits only: such clocks were built between 1970 and 2069.
            year += year < 70 ? 2000 : 1900
        }
        let time = CalendarTime(
            year: year, month: format.number(raw.month), day: format.number(raw.day),
            hour: format.hour(raw.hour), minute: format.number(raw.minute), second: format.number(raw.second))
        return time.isValid ? time : nil
    }

    /// Years that the clock can show.
    public var years: ClosedRange<Int> { extras.century == nil ? 1970...2069 : 1970...9999 }

    /// Sets the clock, in the format it is in. `time` must be valid and of its years. The divider chain is held meanwhile:
    /// the next second begins half a second later.
    public func set(_ time: CalendarTime) {
        let format = format
        let status = read(Register.statusB)
        let rate = read(Register.statusA) & ~Self.updateInProgress
        write(Register.statusB, status | Self.setInhibitsUpdates)
        write(Register.statusA, rate | Self.dividerReset)
        write(Register.seconds, format.encoded(time.second))
        write(Register.minutes, format.encoded(time.minute))
        write(Register.hours, format.encodedHour(time.hour))
        write(Register.weekday, format.encoded(time.weekday + 1))
        write(Register.day, format.encoded(time.day))
        write(Register.month, format.encoded(time.month))
        write(Register.year, format.encoded(time.year % 100))
        if let century = extras.century { write(century, format.encoded(time.year / 100)) }
        write(Register.statusB, status)
        write(Register.statusA, rate)
    }
}

/// The bit of an hour that says p.m.
private let afternoon: UInt8 = 0x80
