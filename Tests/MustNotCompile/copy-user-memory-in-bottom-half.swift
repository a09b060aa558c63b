// expect: cannot convert value of type 'SoftInterruptContext' to expected argument type 'TaskContext'

import Memory
import Primitives

func bottomHalf(_ interrupt: borrowing SoftInterruptContext, _ place: UserPointer<UInt32>) throws(Errno) {
    try UserMemory.store(1, to: place, interrupt)
}
