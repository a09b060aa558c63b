// The requests of rtc(4).

import Devices
import Machine
import Memory
import Primitives
import Tasks
import Time

extension RTCFile {
    private enum Request {
        static let alarmOn: UInt32 = 0x7001
        static let alarmOff: UInt32 = 0x7002
        static let updateOn: UInt32 = 0x7003
        static let updateOff: UInt32 = 0x7004
        static let periodicOn: UInt32 = 0x7005
        static let periodicOff: UInt32 = 0x7006
        static let setAlarm: UInt32 = 0x4024_7007
        static let readAlarm: UInt32 = 0x8024_7008
        static let readTime: UInt32 = 0x8024_7009
        static let setTime: UInt32 = 0x4024_700a
        static let readRate: UInt32 = 0x8008_700b
        static let setRate: UInt32 = 0x4008_700c
        static let readEpoch: UInt32 = 0x8008_700d
        static let setEpoch: UInt32 = 0x4008_700e
        static let setWakeAlarm: UInt32 = 0x4028_700f
        static let readWakeAlarm: UInt32 = 0x8028_7010
        static let readVoltage: UInt32 = 0x8004_7013
    }

    /// Faster than this, in Hz, only who may use resources without limit.
    private static let userFrequency = 64
    /// Years of `struct rtc_time` count from here.
    private static let epoch = 1900

    func answer(_ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext) throws(Errno) -> Int {
        switch command {
        case Request.alarmOn: try setAlarm(RTC.alarm, isOn: true)
        case Request.alarmOff: RTC.switchOff(.alarm)
        case Request.updateOn: RTC.switchOn(.update)
        case Request.updateOff: RTC.switchOff(.update)
        case Request.periodicOn:
            try checkRate(RTC.frequency)
            RTC.switchOn(.periodic)
        case Request.periodicOff: RTC.switchOff(.periodic)
        case Request.readTime:
            guard let time = WallClock.read() else { throw .invalid }
            try RTCTime(time).store(at: argument, task)
        case Request.setTime: try setTime(argument, task)
        case Request.readRate: try UserPointer<UInt>(argument).store(UInt(RTC.frequency), task)
        case Request.setRate:
            guard argument <= UInt(RealTimeClock.frequencies.upperBound) else { throw .invalid }
            try checkRate(Int(argument))
            try RTC.setFrequency(Int(argument))
        case Request.readEpoch: try UserPointer<UInt>(argument).store(UInt(Self.epoch), task)
        case Request.setEpoch: throw .invalid
        case Request.readVoltage: try UserPointer<UInt32>(argument).store(0, task)
        default: try answerAlarm(command, argument, task)
        }
        return 0
    }

    private func checkRate(_ frequency: Int) throws(Errno) {
        if frequency > Self.userFrequency, !LinuxTask.current.credentials.has(.resource) {
            throw .accessDenied
        }
    }

    private func setTime(_ address: UInt, _ task: borrowing TaskContext) throws(Errno) {
        guard LinuxTask.current.credentials.has(.time) else { throw .accessDenied }
        let time = try RTCTime(at: address, task).calendarTime
        guard time.isValid, WallClock.set(time) else { throw .invalid }
    }

    private func setAlarm(_ time: CalendarTime, isOn: Bool) throws(Errno) {
        try RTC.setAlarm(time, isOn: isOn)
    }

    /// `struct rtc_wkalrm`: enabled, pending, two bytes of nothing, a time.
    private func answerAlarm(_ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext)
        throws(Errno)
    {
        switch command {
        case Request.setAlarm:
            try setAlarm(try nextTime(of: RTCTime(at: argument, task)), isOn: false)
        case Request.readAlarm: try RTCTime(RTC.alarm).store(at: argument, task)
        case Request.setWakeAlarm:
            let isOn = try UserPointer<UInt8>(argument).load(task) != 0
            let time = try RTCTime(at: argument &+ 4, task).calendarTime
            guard time.isValid else { throw .invalid }
            try setAlarm(time, isOn: isOn)
        case Request.readWakeAlarm:
            let isOn: UInt8 = RTC.on.contains(.alarm) ? 1 : 0
            try UserPointer<UInt32>(argument).store(UInt32(isOn), task)
            try RTCTime(RTC.alarm).store(at: argument &+ 4, task)
        default: throw .notTerminal
        }
    }

    /// The next moment with that time of day: RTC_ALM_SET takes no date.
    private func nextTime(of wanted: RTCTime) throws(Errno) -> CalendarTime {
        guard let now = WallClock.read() else { throw .invalid }
        var time = now
        (time.hour, time.minute, time.second) = (wanted.hour, wanted.minute, wanted.second)
        guard time.isValid else { throw .invalid }
        let isToday = time.secondsSince1970 > now.secondsSince1970
        return isToday ? time : CalendarTime(secondsSince1970: time.secondsSince1970 + 86400)
    }
}

/// `struct rtc_time`: nine numbers of 32 bits, as those of `struct tm`.
struct RTCTime: Sendable {
    private static let bytes = 36
    /// Second, minute, hour, day, month from 0, year from 1900, weekday from Sunday, day of the year, summer time.
    private var fields: InlineArray<9, Int32>

    init(_ time: CalendarTime) {
        fields = [
            Int32(time.second), Int32(time.minute), Int32(time.hour), Int32(time.day), Int32(time.month - 1),
            Int32(time.year - 1900), Int32(time.weekday), Int32(time.dayOfYear), 0,
        ]
    }

    init(at address: UInt, _ task: borrowing TaskContext) throws(Errno) {
        fields = InlineArray(repeating: 0)
        for index in 0..<9 {
            fields[index] = try UserPointer<Int32>(address &+ UInt(index * 4)).load(task)
        }
    }

    func store(at address: UInt, _ task: borrowing TaskContext) throws(Errno) {
        for index in 0..<9 { try UserPointer<Int32>(address &+ UInt(index * 4)).store(fields[index], task) }
    }

    var second: Int { Int(fields[0]) }
    var minute: Int { Int(fields[1]) }
    var hour: Int { Int(fields[2]) }

    /// Perhaps one that does not exist.
    var calendarTime: CalendarTime {
        CalendarTime(
            year: Int(fields[5]) + 1900, month: Int(fields[4]) + 1, day: Int(fields[3]), hour: hour,
            minute: minute, second: second)
    }
}
