// expect: Using type 'Record' can cause metadata allocation or locks

import Interrupts
import Primitives

final class Record {}

@_noAllocation
func serve(_ interrupt: borrowing HardInterruptContext, _ word: UInt) -> IRQReturn {
    withExtendedLifetime(Record()) { .handled }
}

let handler = IRQHandler("allocates") { @Sendable interrupt, word in serve(interrupt, word) }
