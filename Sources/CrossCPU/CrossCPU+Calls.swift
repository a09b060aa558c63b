// Calling functions on other CPUs: one, many, each, any.
//
//                          runs on                        returns when
//   callFunction           one CPU, also this             it has run; or at once with `wait: false`
//   callFunctionMany       the online ones of a set       all have run; or at once
//                          but this
//   onEachCPU              the same and this              all have run; or at once
//   callFunctionAny        the best CPU of a set          it has run
//   AsynchronousCall       one CPU, from any context      at once
//
// Each of the first four asks for interrupts on: by the type of its guard where that is known (with `InterruptsOff`
// it does not compile), else by a check and `.wouldDeadlock`.

import Machine
import Primitives

extension CrossCPU {
    /// Runs `function(argument)` on `cpu`.
    /// - Parameter wait: return when it has run. Without, the sender waits only for its own call before this one to
    ///   be taken.
    @inline(__always)
    public static func callFunction(
        on cpu: Int, wait: Bool = true, _ off: borrowing PreemptionOff, _ argument: UInt = 0,
        _ function: @escaping CallFunctionBody
    ) throws(CallError) {
        if cpu == CPU.index { return LocalCall.run(function, argument) }
        guard CPUs.isOnline(cpu) else { throw absence(of: cpu) }
        try checkMayWait()
        let state = unsafe CrossCPUState.current
        if wait {
            unsafe state.pointee.functions.call(cpu, function, argument)
        } else {
            unsafe state.pointee.functions.callNoWait(cpu, function, argument)
        }
    }

    /// Runs `function(argument)` on each online CPU of `mask` except this one.
    /// - Returns: how many those are; with an empty mask nothing happens.
    @discardableResult @inline(__always)
    public static func callFunctionMany(
        _ mask: CPUMask, wait: Bool, _ off: borrowing PreemptionOff, _ argument: UInt = 0,
        _ function: @escaping CallFunctionBody
    ) throws(CallError) -> Int {
        let targets = CPUs.others(in: mask)
        if targets.isEmpty { return 0 }
        try checkMayWait()
        let queue = unsafe CrossCPUState.current.pointee.functions
        queue.postMany(targets, waiting: wait, function, argument)
        if wait { queue.waitMany(targets) }
        return targets.count
    }

    /// Runs `function(argument)` on each online CPU, this one last.
    public static func onEachCPU(
        wait: Bool = true, _ off: borrowing PreemptionOff, _ argument: UInt = 0,
        _ function: @escaping CallFunctionBody
    ) throws(CallError) {
        // The others run while this one does.
        let targets = CPUs.others(in: .all)
        let queue = unsafe CrossCPUState.current.pointee.functions
        if !targets.isEmpty {
            try checkMayWait()
            queue.postMany(targets, waiting: wait, function, argument)
        }
        LocalCall.run(function, argument)
        if wait { queue.waitMany(targets) }
    }

    /// Runs `function(argument)` on one online CPU of `mask`: this one, or the next in number. `.offline` if none of
    /// them runs.
    /// - Returns: the CPU.
    @discardableResult
    public static func callFunctionAny(
        _ mask: CPUMask, wait: Bool = true, _ off: borrowing PreemptionOff, _ argument: UInt = 0,
        _ function: @escaping CallFunctionBody
    ) throws(CallError) -> Int {
        let here = CPU.index
        let online = mask.intersection(CPUs.online)
        guard let cpu = online.contains(here) ? here : online.next(from: here) ?? online.next(from: 0) else {
            throw .offline
        }
        try callFunction(on: cpu, wait: wait, off, argument, function)
        return cpu
    }

    // MARK: What may not be asked

    /// What is wrong with a CPU that is not online.
    static func absence(of cpu: Int) -> CallError { cpu >= 0 && cpu < CPUs.count ? .offline : .noSuchCPU }

    /// Interrupts are on, so this is no hard interrupt, and this CPU takes others' calls while it waits.
    @inline(__always)
    private static func checkMayWait() throws(CallError) {
        if !InterruptFlag.isEnabled {
            CallReport.writeDeadlock()
            throw .wouldDeadlock
        }
    }

    @available(*, unavailable, message: "two CPUs that wait for each other with interrupts off wait for ever")
    public static func callFunction(
        on cpu: Int, wait: Bool = true, _ off: borrowing InterruptsOff, _ argument: UInt = 0,
        _ function: @escaping CallFunctionBody
    ) throws(CallError) {}

    @available(*, unavailable, message: "two CPUs that wait for each other with interrupts off wait for ever")
    public static func callFunctionMany(
        _ mask: CPUMask, wait: Bool, _ off: borrowing InterruptsOff, _ argument: UInt = 0,
        _ function: @escaping CallFunctionBody
    ) throws(CallError) {}
}
