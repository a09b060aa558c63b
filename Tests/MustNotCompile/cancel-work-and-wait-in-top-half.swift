// expect: cannot convert value of type 'HardInterruptContext' to expected argument type 'TaskContext'

import Deferred
import Primitives

func handler(_ interrupt: borrowing HardInterruptContext, _ work: borrowing Work) {
    work.cancelSync(interrupt)
}
