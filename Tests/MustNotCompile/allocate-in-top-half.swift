// expect: Using type 'Record' can cause metadata allocation or locks

import Primitives

final class Record {}

@_noAllocation
func topHalf(_ interrupt: borrowing HardInterruptContext) -> Record { Record() }
