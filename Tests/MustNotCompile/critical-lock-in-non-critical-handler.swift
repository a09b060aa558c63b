// expect: cannot convert value of type 'NonCriticalContext' to expected argument type 'HardInterruptContext'

import Primitives

// Interrupts are on: another top half could come on this CPU and wait for the lock for ever.
func handler(_ interrupt: borrowing NonCriticalContext, _ lock: borrowing SpinLock<Int>) {
    lock.withLock(in: interrupt) { $0 += 1 }
}
