// How an emulator that runs the kernel learns the exit status: QEMU's `isa-debug-exit` device at port 0xf4.
// On other machines nothing answers there.

import Machine
import Primitives

enum ExitPort {
    /// The status that says the kernel itself failed; init's statuses end at 61.
    static let kernelFailure = 62

    /// Ends QEMU with exit status `0x81 + 2 * status`; returns where there is no such device.
    /// - Parameter status: 0...62; larger ones count as 61.
    static func leave(_ status: Int) {
        let shown = status == kernelFailure ? status : min(max(status, 0), 61)
        Port(0xf4).write8(0x40 + UInt8(shown))
    }
}

/// Ends a boot that cannot go on: says why, tells the emulator, and stops.
func bootFailure(_ why: LogMessage) -> Never {
    printk(.emergency, "apus: \(why)")
    ExitPort.leave(ExitPort.kernelFailure)
    InterruptFlag.disable()
    while true { Spin.halt() }
}
