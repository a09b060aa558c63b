// /sys/firmware/acpi/interrupts: how often which event of the ACPI interrupt came (Linux's
// Documentation/ABI/testing/sysfs-firmware-acpi).

import Devices
import Primitives

enum SystemPower {
    static func add(to tree: PseudoTree) {
        add("sci", to: tree) { $0.handled }
        add("sci_not", to: tree) { $0.foreign }
        add("ff_pwr_btn", to: tree) { $0.powerButton }
        add("ff_slp_btn", to: tree) { $0.sleepButton }
        add("gpe_all", to: tree) { $0.general }
    }

    private static func add(
        _ name: StaticString, to tree: PseudoTree,
        _ count: @escaping @Sendable (SystemControl.Statistics) -> UInt64
    ) {
        tree.add(Text("firmware/acpi/interrupts/\(name)").bytes) { text, _ in
            text.add("\(padded: count(SystemControl.statistics), to: 8)\n")
        }
    }
}
