// expect: no exact matches in call to instance method 'withLocal'

import Primitives

let counters = PerCPU<Int>(count: 1) { _ in 0 }

func handler(_ interrupt: borrowing NonCriticalContext) { counters.withLocal(interrupt) { $0 += 1 } }
