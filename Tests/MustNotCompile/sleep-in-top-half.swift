// expect: cannot convert value of type 'HardInterruptContext' to expected argument type 'TaskContext'

import Primitives

func sleeps(_ task: borrowing TaskContext) {}

func topHalf(_ interrupt: borrowing HardInterruptContext) { sleeps(interrupt) }
