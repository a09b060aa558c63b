// Keeps every rule that the other files break: the same calls, in the right contexts.

import Primitives

func sleeps(_ task: borrowing TaskContext) {}
func handlesLine(_ interrupt: borrowing HardInterruptContext) {}
let counters = PerCPU<Int>(count: 1) { _ in 0 }

func topHalf(_ interrupt: borrowing HardInterruptContext) {
    handlesLine(interrupt)
    counters.withLocal(interrupt) { $0 += 1 }
}

func inTask(_ task: borrowing TaskContext) {
    sleeps(task)
    withInterruptsOff { off in counters.withLocal(off) { $0 += 1 } }
}

@_noAllocation
func allocatesNothing(_ values: Span<Int>) -> Int { values.isEmpty ? 0 : values[0] }
