// Switching the machine off in order: `/sbin/poweroff` is run, which every system has and which knows its init; where it
// cannot be run, the machine is switched off at once. Linux leaves the power button to programs altogether; in a small
// virtual machine there often is none, and whoever runs it presses the button to end it.

import Devices
import Primitives

enum OrderlyPowerOff {
    /// Boot, before the first program.
    static func install() {
        unsafe PowerHooks.buttonPressed = { OrderlyPowerOff.begin() }
    }

    /// Task context.
    private static func begin() {
        HelperProgram.start("/sbin/poweroff") { error in
            printk(.warning, "/sbin/poweroff cannot be run (\(error.name)): switching off at once")
            KernelHooks.shutDown(.powerOff)
        }
    }
}
