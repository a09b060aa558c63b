// expect: cannot convert value of type 'HardInterruptContext' to expected argument type 'TaskContext'

import Memory
import Primitives

func topHalf(_ interrupt: borrowing HardInterruptContext, _ place: UserPointer<UInt32>) throws(Errno)
    -> UInt32
{
    try UserMemory.load(place, interrupt)
}
