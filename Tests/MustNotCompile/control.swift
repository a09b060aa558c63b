// Keeps every rule that the other files break: the same calls, in the right contexts.

import Interrupts
import Memory
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

// MARK: Handlers of lines

func copiesInTask(_ task: borrowing TaskContext, _ place: UserPointer<UInt32>) throws(Errno) {
    let value = try UserMemory.load(place, task)
    try UserMemory.store(value, to: place, task)
}

@_noAllocation
func letsOthersIn(_ interrupt: borrowing NonCriticalContext, _ word: UInt) -> IRQReturn {
    word == 0 ? .none : .handled
}

func locks(_ interrupt: borrowing NonCriticalContext, _ lock: borrowing SpinLock<Int>) {
    lock.withLockInterruptsOff { value, off in
        value += 1
        counters.withLocal(off) { $0 += 1 }
    }
}

let nonCritical = NonCriticalHandler { @Sendable interrupt, word in letsOthersIn(interrupt, word) }
