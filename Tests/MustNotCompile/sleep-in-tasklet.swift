// expect: cannot convert value of type 'SoftInterruptContext' to expected argument type 'TaskContext'

import Deferred
import Primitives
import Tasks

final class Driver {
    let done = Completion()
}

func handler(_ interrupt: borrowing SoftInterruptContext, _ driver: Driver) { driver.done.wait(interrupt) }
