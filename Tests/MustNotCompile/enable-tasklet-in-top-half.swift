// expect: no exact matches in call to instance method 'enable'

import Deferred
import Primitives

func handler(_ interrupt: borrowing HardInterruptContext, _ tasklet: borrowing Tasklet) {
    try? tasklet.enable(interrupt)
}
