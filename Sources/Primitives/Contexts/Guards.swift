// Guards: values that prove that interrupts, bottom halves or preemption are off. Each exists only
// inside the closure of the function that turned them off.

import Machine

/// Proves that this CPU takes no interrupt (and so does not switch threads).
public struct InterruptsOff: ~Copyable, ~Escapable {
    @_spi(ContextEntry) @_lifetime(immortal) @inline(__always)
    public init() {}
}

/// Proves that no soft IRQ runs on this CPU (and so no other thread).
public struct BottomHalvesOff: ~Copyable, ~Escapable {
    @_spi(ContextEntry) @_lifetime(immortal) @inline(__always)
    public init() {}
}

/// Proves that this code stays on its CPU: the scheduler does not take it away.
public struct PreemptionOff: ~Copyable, ~Escapable {
    @_spi(ContextEntry) @_lifetime(immortal) @inline(__always)
    public init() {}
}

/// What a reached zero of the preemption count does; set once by `Tasks` before other threads run.
public enum PreemptionHook {
    /// Reschedules; called with interrupts on and the count at zero.
    nonisolated(unsafe) public static var reschedule: (@convention(c) () -> Void)? = nil
}

/// Runs `body` with interrupts off and puts the flag back as it was. Any context.
@inline(__always)
public func withInterruptsOff<R: ~Copyable, E>(
    _ body: (borrowing InterruptsOff) throws(E) -> R
) throws(E) -> R {
    let wereEnabled = InterruptFlag.isEnabled
    InterruptFlag.disable()
    defer { if wereEnabled { InterruptFlag.enable() } }
    return try body(InterruptsOff())
}

/// Runs `body` with preemption off. Any context; a reschedule asked for meanwhile happens at the end.
@inline(__always)
public func withPreemptionOff<R: ~Copyable, E>(
    _ body: (borrowing PreemptionOff) throws(E) -> R
) throws(E) -> R {
    PreemptCount.add(PreemptCount.preemption)
    #if APUS_DEBUG_LOCKS
        Lockdep.guardBegan()
    #endif
    defer { preemptionEnable() }
    return try body(PreemptionOff())
}

/// Runs `body` with bottom halves off; those raised meanwhile run at the end. Task or soft-IRQ context.
@inline(__always)
public func withBottomHalvesOff<R: ~Copyable, E>(
    _ body: (borrowing BottomHalvesOff) throws(E) -> R
) throws(E) -> R {
    PreemptCount.add(PreemptCount.bottomHalf)
    #if APUS_DEBUG_LOCKS
        Lockdep.guardBegan()
    #endif
    defer { bottomHalvesEnable() }
    return try body(BottomHalvesOff())
}

/// The end of a section with preemption off.
@inline(__always)
func preemptionEnable() {
    if PreemptCount.subtractIsZero(PreemptCount.preemption) { rescheduleNow() }
}

@inline(never)
func rescheduleNow() {
    guard InterruptFlag.isEnabled else { return }
    callReschedule()
}

/// The indirect call has no allocation of its own; what it does happens in another thread's name.
@_semantics("no_performance_analysis")
private func callReschedule() {
    unsafe PreemptionHook.reschedule?()
}

@inline(__always)
func bottomHalvesEnable() {
    // The outermost of such sections, and not in an interrupt.
    if CPUArea.isSoftInterruptPending, PreemptCount.isOutermostBottomHalf { SoftInterruptStack.runPending() }
    if PreemptCount.subtractIsZero(PreemptCount.bottomHalf) { rescheduleNow() }
}
