// What /proc/driver/rtc and /sys/class/rtc/rtc0 say of the battery clock.

import Devices
import Machine
import Primitives
import Time

enum RTCDescription {
    static func addProc(to tree: PseudoTree) {
        guard RTC.isPresent else { return }
        tree.add("driver/rtc") { text, _ throws(Errno) in
            guard let now = WallClock.read() else { throw .inputOutput }
            let (alarm, on, count) = (RTC.alarm, RTC.on, RTC.statistics)
            text.add("rtc_time\t: \(clock(now))\nrtc_date\t: \(date(now))\n")
            text.add("alrm_time\t: \(clock(alarm))\nalrm_date\t: \(date(alarm))\n")
            text.add("alarm_IRQ\t: \(word(on.contains(.alarm)))\n")
            text.add("update IRQ enabled\t: \(word(on.contains(.update)))\n")
            text.add("periodic IRQ enabled\t: \(word(on.contains(.periodic)))\n")
            text.add(
                "periodic IRQ frequency\t: \(RTC.frequency)\nmax user IRQ frequency\t: 64\n24hr\t\t: yes\n")
            // What the clock itself said in register C.
            text.add("interrupts\t: \(count.interrupts)\nperiodic\t: \(count.periodic)\n")
            text.add(
                "updates\t\t: \(count.update)\nalarms\t\t: \(count.alarm)\nforeign\t\t: \(count.foreign)\n")
        }
    }

    static func addSystem(to tree: PseudoTree) {
        guard RTC.isPresent else { return }
        add("date", to: tree) { date($0) }
        add("time", to: tree) { clock($0) }
        add("since_epoch", to: tree) { "\($0.secondsSince1970)" }
        tree.add("class/rtc/rtc0/name") { text, _ in text.add("rtc_cmos\n") }
        tree.add("class/rtc/rtc0/hctosys") { text, _ in text.add("1\n") }
        tree.add("class/rtc/rtc0/max_user_freq") { text, _ in text.add("64\n") }
    }

    private static func add(
        _ name: StaticString, to tree: PseudoTree, _ show: @escaping @Sendable (CalendarTime) -> Text
    ) {
        tree.add(Text("class/rtc/rtc0/\(name)").bytes) { text, _ throws(Errno) in
            guard let now = WallClock.read() else { throw .inputOutput }
            text.add("\(show(now))\n")
        }
    }

    private static func clock(_ time: CalendarTime) -> Text {
        "\(padded: time.hour, to: 2, with: 48):\(padded: time.minute, to: 2, with: 48):\(padded: time.second, to: 2, with: 48)"
    }

    private static func date(_ time: CalendarTime) -> Text {
        "\(padded: time.year, to: 4, with: 48)-\(padded: time.month, to: 2, with: 48)-\(padded: time.day, to: 2, with: 48)"
    }

    private static func word(_ isOn: Bool) -> StaticString { isOn ? "yes" : "no" }
}
