// Dates and times of day, and their seconds since 1970 (proleptic Gregorian calendar, no leap seconds).

/// A date and time of day, in whatever zone the clock keeps (UTC, by agreement).
public struct CalendarTime: Equatable, Sendable {
    public var year: Int
    /// 1 ... 12
    public var month: Int
    /// 1 ... 31
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int

    public init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// Whether it names a second that exists.
    public var isValid: Bool {
        year >= 1900 && year < 10000 && month >= 1 && month <= 12 && day >= 1
            && day <= Self.days(inMonth: month, of: year) && hour >= 0 && hour < 24 && minute >= 0
            && minute < 60 && second >= 0 && second < 60
    }

    /// 0 for Sunday ... 6 for Saturday.
    public var weekday: Int {
        let days = (secondsSince1970 - Int64(hour * 3600 + minute * 60 + second)) / 86400
        // 1970-01-01 was a Thursday.
        return Int(((days + 4) % 7 + 7) % 7)
    }

    /// 0 for the first of January.
    public var dayOfYear: Int {
        (1..<max(month, 1)).reduce(day - 1) { $0 + Self.days(inMonth: $1, of: year) }
    }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Seconds since 1970-01-01 00:00; only of a valid time.
    public var secondsSince1970: Int64 {
        // Years begin in March here, so that the leap day is the last of its year.
        let shifted = month <= 2 ? year - 1 : year
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        return Int64(days) * 86400 + Int64(hour * 3600 + minute * 60 + second)
    }

    /// The time that many seconds after 1970-01-01 00:00 (years 1900 to 9999).
    public init(secondsSince1970: Int64) {
        let limits: ClosedRange<Int64> = -2_208_988_800...253_402_300_799
        let clamped = Int(min(max(secondsSince1970, limits.lowerBound), limits.upperBound))
        let dayNumber = (clamped >= 0 ? clamped : clamped - 86399) / 86400
        let secondOfDay = clamped - dayNumber * 86400
        // Days since 0000-03-01; an era is 400 years.
        let days = dayNumber + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        self.init(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * monthFromMarch + 2) / 5 + 1, hour: secondOfDay / 3600,
            minute: secondOfDay / 60 % 60, second: secondOfDay % 60)
    }
}
