// /proc/PID/schedstat, sched, syscall.

import Machine
import Primitives
import Tasks

enum ProcessScheduling {
    /// Nanoseconds run, nanoseconds waited for a CPU, times it got one.
    static func showBrief(_ subject: ProcessSubject, _ text: inout Text) {
        guard let thread = subject.representative?.thread else { return text.add("0 0 0\n") }
        let delay = thread.delay
        text.add("\(thread.runtime) \(delay.nanoseconds) \(delay.turns)\n")
    }

    static func show(_ subject: ProcessSubject, _ text: inout Text) {
        guard let task = subject.representative else { return }
        let thread = task.thread
        text.add("\(subject.name) (\(subject.identifier), #threads: \(subject.process.threadCount))\n")
        text.add("-------------------------------------------------------------------\n")
        func line(_ name: StaticString, _ value: Text) {
            let start = text.count
            text.add("\(name)")
            text.pad(from: start, to: 45)
            text.add(":")
            for _ in 0..<max(21 - value.count, 0) { text.add(byte: 32) }
            text.add("\(value)\n")
        }
        let runtime = thread.runtime
        let micro = runtime % 1_000_000
        line("se.sum_exec_runtime", "\(runtime / 1_000_000).\(padded: micro, to: 6, with: 48)")
        line("nr_switches", "\(thread.voluntarySwitches &+ thread.involuntarySwitches)")
        line("nr_voluntary_switches", "\(thread.voluntarySwitches)")
        line("nr_involuntary_switches", "\(thread.involuntarySwitches)")
        line("policy", "\(task.scheduling.word & ~SchedulingPolicy.resetOnFork)")
        let priority = Int(task.scheduling.priority)
        line("prio", "\(priority > 0 ? 99 - priority : 120 + thread.nice)")
    }

    /// The call in which the thread sleeps: number, six arguments, stack pointer, program counter.
    static func showSystemCall(_ subject: ProcessSubject, _ text: inout Text) throws(Errno) {
        let task = try subject.living()
        let thread = task.thread
        guard thread.state.letter != 82, task !== Caller.task, let registers = task.registersOfOther else {
            return text.add("running\n")
        }
        let number = Int64(bitPattern: UInt64(registers.orig_ax))
        guard number >= 0 else {
            return text.add("-1 0x\(hex: registers.sp) 0x\(hex: registers.ip)\n")
        }
        text.add("\(number) 0x\(hex: registers.di) 0x\(hex: registers.si) 0x\(hex: registers.dx) ")
        text.add("0x\(hex: registers.r10) 0x\(hex: registers.r8) 0x\(hex: registers.r9) ")
        text.add("0x\(hex: registers.sp) 0x\(hex: registers.ip)\n")
    }
}
