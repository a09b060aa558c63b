// The interrupt flag of this CPU, waiting and spinning.

import CMachine

public enum InterruptFlag {
    /// RFLAGS.IF (Intel SDM volume 1, 3.4.3).
    public static let mask: UInt64 = 1 << 9

    @_semantics("no_performance_analysis") @inline(__always)
    public static var isEnabled: Bool { machine_read_flags() & mask != 0 }

    @_semantics("no_performance_analysis") @inline(__always)
    public static func enable() {
        #if APUS_DEBUG_LOCKS
            InterruptFlagHooks.tellGoesOn()
        #endif
        machine_sti()
    }

    @_semantics("no_performance_analysis") @inline(__always)
    public static func disable() {
        #if APUS_DEBUG_LOCKS
            let wasEnabled = isEnabled
        #endif
        machine_cli()
        #if APUS_DEBUG_LOCKS
            if wasEnabled { InterruptFlagHooks.tellWentOff() }
        #endif
    }

    /// Turns interrupts on and sleeps until one arrives, with no window between the two.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func enableAndHalt() {
        #if APUS_DEBUG_LOCKS
            InterruptFlagHooks.tellGoesOn()
        #endif
        machine_enable_and_halt()
    }
}

#if APUS_DEBUG_LOCKS
    /// The debug build's watch over the flag (Primitives/Lockdep); each set once at boot.
    public enum InterruptFlagHooks {
        /// Interrupts have just gone off.
        nonisolated(unsafe) public static var wentOff: (@convention(c) () -> Void)? = nil
        /// They are about to go on.
        nonisolated(unsafe) public static var goesOn: (@convention(c) () -> Void)? = nil

        @_semantics("no_performance_analysis") @inline(never)
        public static func tellWentOff() { unsafe wentOff?() }

        @_semantics("no_performance_analysis") @inline(never)
        static func tellGoesOn() { if !InterruptFlag.isEnabled { unsafe goesOn?() } }
    }

    extension InterruptFlag {
        /// For the watch itself.
        @_semantics("no_performance_analysis") @inline(__always)
        public static func enableUnwatched() { machine_sti() }

        @_semantics("no_performance_analysis") @inline(__always)
        public static func disableUnwatched() { machine_cli() }
    }
#endif

public enum Spin {
    /// To be called in every turn of a loop that waits for another CPU.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func pause() { machine_pause() }

    /// Sleeps until the next interrupt that can come: an NMI only, if interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func halt() { machine_halt() }

    /// Where the simulated machine may let another CPU run; nothing on x86.
    @inline(__always) public static func interleave() {}

    /// Orders all earlier loads and stores before all later ones.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func fence() { machine_fence() }
}
