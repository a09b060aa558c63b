import Machine
import Testing

/// Registers: seconds, minutes, hours, day, month, year, century (0x32), status B.
private func registers(
    _ second: UInt8, _ minute: UInt8, _ hour: UInt8, _ day: UInt8, _ month: UInt8, _ year: UInt8,
    _ century: UInt8, _ statusB: UInt8
) -> [Int: UInt8] {
    [0: second, 2: minute, 4: hour, 7: day, 8: month, 9: year, 0x32: century, 10: 0x26, 11: statusB]
}

private let bcd24: UInt8 = 2
private let binary24: UInt8 = 6
private let bcd12: UInt8 = 0
private let binary12: UInt8 = 4

@Suite(.serialized) struct RealTimeClockTests {
    let hardware = SimulatedHardware()
    let clock = RealTimeClock(RealTimeClock.Extras(century: 0x32))

    private func time(_ y: Int, _ mo: Int, _ d: Int, _ h: Int, _ mi: Int, _ s: Int) -> CalendarTime {
        CalendarTime(year: y, month: mo, day: d, hour: h, minute: mi, second: s)
    }

    @Test func formats() {
        let wanted = time(2026, 11, 23, 16, 59, 58)
        for (hour, minute, second, day, month, year, century, status):
            (
                UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
            ) in [
                (0x16, 0x59, 0x58, 0x23, 0x11, 0x26, 0x20, bcd24), (16, 59, 58, 23, 11, 26, 20, binary24),
                (0x84, 0x59, 0x58, 0x23, 0x11, 0x26, 0x20, bcd12), (0x84, 59, 58, 23, 11, 26, 20, binary12),
            ]
        {
            let device = SimulatedRTC(registers(second, minute, hour, day, month, year, century, status))
            #expect(clock.attemptRead() == .time(wanted))
            // Written and read back in the same format.
            for hour in 0..<24 {
                let other = time(2099, 12, 31, hour, 1, 2)
                clock.set(other)
                #expect(clock.attemptRead() == .time(other))
                #expect(device.register(11) == status)
                #expect(device.register(10) == 0x26)
            }
            SimulatedBus.detachAll()
        }
    }

    @Test func midnightAndNoonOfTwelveHours() {
        for (raw, hour): (UInt8, Int) in [(0x12, 0), (0x92, 12), (0x01, 1), (0x81, 13), (0x91, 23)] {
            _ = SimulatedRTC(registers(0, 0, raw, 1, 1, 0x26, 0x20, bcd12))
            #expect(clock.attemptRead() == .time(time(2026, 1, 1, hour, 0, 0)))
            SimulatedBus.detachAll()
        }
    }

    @Test func withoutACentury() {
        let clock = RealTimeClock(RealTimeClock.Extras())
        for (raw, year): (UInt8, Int) in [(0x26, 2026), (0x69, 2069), (0x70, 1970), (0x99, 1999)] {
            _ = SimulatedRTC(registers(0, 0, 0, 1, 1, raw, 0x77, bcd24))
            #expect(clock.attemptRead() == .time(time(year, 1, 1, 0, 0, 0)))
            SimulatedBus.detachAll()
        }
        #expect(clock.years == 1970...2069)
    }

    /// A second begins after each possible read: never is half of one time with half of another seen.
    @Test(arguments: [0, 2, 5]) func neverTorn(warning: Int) {
        let before = registers(0x59, 0x59, 0x23, 0x31, 0x12, 0x99, 0x19, bcd24)
        let after = registers(0, 0, 0, 1, 1, 0, 0x20, bcd24)
        let (old, new) = (time(1999, 12, 31, 23, 59, 59), time(2000, 1, 1, 0, 0, 0))
        var seen: Set<Int> = []
        for reads in 0..<40 {
            let device = SimulatedRTC(before, then: [after])
            device.update(afterReads: reads, warning: warning)
            var attempts = 0
            while attempts < 50 {
                attempts += 1
                let reading = clock.attemptRead()
                if reading == .busy { continue }
                #expect(reading == .time(old) || reading == .time(new))
                seen.insert(reading == .time(old) ? 0 : 1)
                break
            }
            #expect(attempts < 50)
            SimulatedBus.detachAll()
        }
        #expect(seen == [0, 1])
    }

    @Test func nothingThere() {
        #expect(clock.attemptRead() == .invalid)
        _ = SimulatedRTC(registers(0x61, 0, 0, 1, 1, 0, 0x20, bcd24))
        #expect(clock.attemptRead() == .invalid)
    }

    @Test func interrupts() {
        let device = SimulatedRTC(registers(0, 0, 0, 1, 1, 0, 0x20, bcd24))
        clock.switchOn([.periodic, .update])
        #expect(device.register(11) == 0x50 | bcd24)
        clock.switchOff(.update)
        #expect(device.register(11) == 0x40 | bcd24)
        device.setFlags(0xc0)
        #expect(clock.takeInterrupts() == [.requested, .periodic])
        #expect(clock.takeInterrupts() == [])
        for (frequency, rate): (Int, UInt8) in [(8192, 3), (1024, 6), (64, 10), (2, 15)] {
            clock.setFrequency(frequency)
            #expect(device.register(10) == 0x20 | rate)
        }
        clock.setAlarm(time(2000, 1, 1, 17, 30, 5))
        #expect([1, 3, 5].map { device.register($0) } == [0x05, 0x30, 0x17])
        #expect(clock.alarm.hour == 17 && clock.alarm.minute == 30 && clock.alarm.second == 5)
    }

    @Test func weekdays() {
        #expect(time(1970, 1, 1, 0, 0, 0).weekday == 4)
        #expect(time(2026, 11, 23, 23, 59, 59).weekday == 1)
        #expect(time(1969, 12, 31, 12, 0, 0).weekday == 3)
        #expect(time(2000, 12, 31, 0, 0, 0).dayOfYear == 365)
        #expect(time(2026, 1, 1, 0, 0, 0).dayOfYear == 0)
    }
}
