// /sys/devices/system/clocksource and clockevents: which clocks tell the time and which raise the interrupts.

import Machine
import Primitives

enum SystemClocks {
    static func add(to tree: PseudoTree) {
        tree.add("devices/system/clocksource/clocksource0/available_clocksource") { text, _ in
            text.add("\(ClockSources.available) \n")
        }
        tree.add("devices/system/clocksource/clocksource0/current_clocksource", 0o644) {
            bytes, _ throws(Errno) in
            // As in Linux: a name that is not there changes nothing.
            _ = bytes
        } show: { text, _ in
            text.add("\(ClockSources.current)\n")
        }
        for cpu in 0..<CPUs.count {
            tree.add(Text("devices/system/clockevents/clockevent\(cpu)/current_device").bytes) { text, _ in
                text.add("\(ClockSources.eventDevice)\n")
            }
        }
        tree.add("devices/system/clockevents/broadcast/current_device") { text, _ in text.add("\n") }
    }
}

/// The clocks in use, by Linux's names.
enum ClockSources {
    static var current: StaticString { "tsc" }
    static var available: StaticString { "tsc" }
    static var eventDevice: StaticString {
        CPUID.readFeatures().hasTSCDeadline ? "lapic-deadline" : "lapic"
    }
}
