// expect: cannot convert value of type 'SoftInterruptContext' to expected argument type 'TaskContext'

import Primitives

func sleeps(_ task: borrowing TaskContext) {}

func bottomHalf(_ interrupt: borrowing SoftInterruptContext) { sleeps(interrupt) }
