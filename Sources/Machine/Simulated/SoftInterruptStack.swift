// The simulated machine's soft IRQs run on the stack of what they interrupt.

import CMachine

public enum SoftInterruptStack {
    // The same for every machine; set while no CPU runs.
    nonisolated(unsafe) private static var section: (@convention(c) () -> Void)? = nil
    nonisolated(unsafe) private static var interruptExit: (@convention(c) () -> Void)? = nil

    public static func install(
        section: @convention(c) () -> Void, interruptExit: @convention(c) () -> Void
    ) {
        unsafe Self.section = section
        unsafe Self.interruptExit = interruptExit
    }

    public static func runPending() {
        let wereEnabled = InterruptFlag.isEnabled
        InterruptFlag.disable()
        unsafe section?()
        if wereEnabled { InterruptFlag.enable() }
    }

    /// What the real machine's entry code does where a hard interrupt ends: interrupts and bottom halves are off.
    public static func runAtInterruptExit() { unsafe interruptExit?() }
}

extension CPUArea {
    static func stampSoftInterrupt() { cpu_area_set_softirq_raised_at(CycleClock.cycles) }
}
