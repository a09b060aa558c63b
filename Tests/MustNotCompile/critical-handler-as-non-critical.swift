// expect: cannot convert value of type '@Sendable (borrowing HardInterruptContext, UInt) -> IRQReturn' to expected argument type '@Sendable @convention(thin) (borrowing NonCriticalContext, UInt) -> IRQReturn'

import Interrupts
import Primitives

@Sendable
func handler(_ interrupt: borrowing HardInterruptContext, _ word: UInt) -> IRQReturn { .handled }

let wrong = NonCriticalHandler(handler)
