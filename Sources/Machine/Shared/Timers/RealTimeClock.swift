// The clock that runs on a battery: MC146818 and its successors, read and set through ports 0x70 and 0x71.
//
// Reading does not tear: while the clock updates itself (register A, bit 7) its registers change, so they are read
// outside an update, twice, until both readings agree. Every wait has an end, also where there is no such clock.

/// The real-time clock. The caller keeps others away: one register is selected, then read.
public struct RealTimeClock: Sendable {
    /// Register of the century, from the FADT; nil where there is none.
    private let centuryRegister: UInt8?
    private let index = Port(0x70)
    private let data = Port(0x71)

    private enum Register {
        static let seconds: UInt8 = 0
        static let minutes: UInt8 = 2
        static let hours: UInt8 = 4
        static let day: UInt8 = 7
        static let month: UInt8 = 8
        static let year: UInt8 = 9
        static let statusA: UInt8 = 10
        static let statusB: UInt8 = 11
    }

    private static let updateInProgress: UInt8 = 0x80
    private static let setInhibitsUpdates: UInt8 = 0x80
    private static let isBinary: UInt8 = 0x04
    private static let is24Hour: UInt8 = 0x02
    private static let afternoon: UInt8 = 0x80
    /// Readings of a port take a microsecond or so, and an update two milliseconds.
    private static let patience = 100_000
    /// Keeps NMIs on (bit 7 clear) while a register is selected.
    private static let selectMask: UInt8 = 0x7f

    public init(centuryRegister: UInt8?) { self.centuryRegister = centuryRegister }

    private func read(_ register: UInt8) -> UInt8 {
        index.write8(register & Self.selectMask)
        return data.read8()
    }

    private func write(_ register: UInt8, _ value: UInt8) {
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
            century: centuryRegister.map { read($0) } ?? 0)
    }

    private func waitForQuiet() -> Bool {
        for _ in 0..<Self.patience {
            if read(Register.statusA) & Self.updateInProgress == 0 { return true }
            Spin.pause()
        }
        return false
    }

    /// The time; nil if there is no clock or it shows a time that does not exist. May take a few milliseconds.
    public func read() -> CalendarTime? {
        // A port without a device reads as all ones, and so would be in an update for ever.
        for _ in 0..<100 {
            guard waitForQuiet() else { return nil }
            let first = readRaw()
            guard read(Register.statusA) & Self.updateInProgress == 0 else { continue }
            if readRaw() == first { return decode(first) }
        }
        return nil
    }

    private func decode(_ raw: Raw) -> CalendarTime? {
        let status = read(Register.statusB)
        let binary = status & Self.isBinary != 0
        func number(_ value: UInt8) -> Int { binary ? Int(value) : Int(value >> 4) * 10 + Int(value & 15) }
        var hour = number(raw.hour & ~Self.afternoon)
        if status & Self.is24Hour == 0 {
            // 12 a.m. is hour 0, 12 p.m. hour 12.
            hour = hour % 12 + (raw.hour & Self.afternoon != 0 ? 12 : 0)
        } else {
            hour = number(raw.hour)
        }
        var year = number(raw.year)
        let century = number(raw.century)
        if centuryRegister != nil, century >= 19, century < 100 {
            year += century * 100
        } else {
            // Two digits only: such clocks were built between 1970 and 2069.
            year += year < 70 ? 2000 : 1900
        }
        let time = CalendarTime(
            year: year, month: number(raw.month), day: number(raw.day), hour: hour,
            minute: number(raw.minute), second: number(raw.second))
        return time.isValid ? time : nil
    }

    /// Sets the clock, in the format it is in. `time` must be valid.
    public func set(_ time: CalendarTime) {
        let status = read(Register.statusB)
        let binary = status & Self.isBinary != 0
        func encoded(_ value: Int) -> UInt8 {
            UInt8(truncatingIfNeeded: binary ? value : value / 10 * 16 + value % 10)
        }
        var hour = encoded(time.hour)
        if status & Self.is24Hour == 0 {
            let twelve = time.hour % 12 == 0 ? 12 : time.hour % 12
            hour = encoded(twelve) | (time.hour >= 12 ? Self.afternoon : 0)
        }
        write(Register.statusB, status | Self.setInhibitsUpdates)
        write(Register.seconds, encoded(time.second))
        write(Register.minutes, encoded(time.minute))
        write(Register.hours, hour)
        write(Register.day, encoded(time.day))
        write(Register.month, encoded(time.month))
        write(Register.year, encoded(time.year % 100))
        if let centuryRegister { write(centuryRegister, encoded(time.year / 100)) }
        write(Register.statusB, status)
    }
}
