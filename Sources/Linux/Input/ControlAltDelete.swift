// Ctrl-Alt-Del: restarts the machine at once, or, once init has asked for it (reboot(2), LINUX_REBOOT_CMD_CAD_OFF), tells
// init by SIGINT, which brings the system down in order.

import Deferred
import Devices
import Primitives
import Synchronization

enum ControlAltDelete {
    /// As Linux begins.
    private static let restartsAtOnce = Atomic<Bool>(true)
    private static let restart = Work("ctrl-alt-del") { @Sendable _, _ in KernelHooks.shutDown(.restart) }

    /// `/proc/sys/kernel/ctrl-alt-del`, LINUX_REBOOT_CMD_CAD_ON and _OFF.
    static var isHard: Bool {
        get { restartsAtOnce.load(ordering: .relaxed) }
        set { restartsAtOnce.store(newValue, ordering: .relaxed) }
    }

    /// Boot, before the keyboard interrupts.
    static func install() {
        // Made now: a top half must not be the first to use it.
        _ = restart.isPending
        unsafe KeyboardHooks.controlAltDelete = { ControlAltDelete.pressed() }
    }

    /// Hard interrupt context.
    private static func pressed() {
        if isHard {
            restart.schedule()
        } else {
            ProcessTable.process(1)?.send(.interrupt)
        }
    }
}
