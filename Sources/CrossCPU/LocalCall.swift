// Functions that this CPU runs itself, as its interrupt would.

import Machine
@_spi(ContextEntry) import Primitives

enum LocalCall {
    /// The one indirect call of a receiver.
    @_semantics("no_performance_analysis") @inline(__always)
    static func run(
        _ function: CallFunctionBody, _ context: borrowing HardInterruptContext, _ argument: UInt
    ) { function(context, argument) }

    /// Runs `body` with interrupts off, counted as a hard interrupt. Soft IRQs it raises run when bottom halves are
    /// next enabled, here if interrupts were on.
    @inline(__always)
    static func asInterrupt(_ body: (borrowing HardInterruptContext) -> Void) {
        let wereEnabled = InterruptFlag.isEnabled
        if wereEnabled { InterruptFlag.disable() }
        PreemptCount.add(PreemptCount.hardInterrupt)
        body(HardInterruptContext())
        _ = PreemptCount.subtractIsZero(PreemptCount.hardInterrupt)
        guard wereEnabled else { return }
        InterruptFlag.enable()
        if CPUArea.softInterruptsPending != 0 { withBottomHalvesOff { _ in } }
    }

    @inline(__always)
    static func run(_ function: CallFunctionBody, _ argument: UInt) {
        asInterrupt { context in run(function, context, argument) }
    }

    /// The same with a node of the caller's, which is unlocked first.
    @_semantics("no_performance_analysis") @inline(never)
    static func runAndUnlock(_ node: CallSingleData.Pointer) {
        let function = unsafe node.pointee.function
        let argument = unsafe node.pointee.argument
        unsafe node.pointee.unlock()
        if let function { run(function, argument) }
    }
}
