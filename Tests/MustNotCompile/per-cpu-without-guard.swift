// expect: no exact matches in call to instance method 'withLocal'

import Primitives

let counters = PerCPU<Int>(count: 1) { _ in 0 }

func count(_ task: borrowing TaskContext) { counters.withLocal(task) { $0 += 1 } }
