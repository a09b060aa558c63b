// expect: cannot convert value of type 'SoftInterruptContext' to expected argument type 'TaskContext'

import Deferred
import Primitives

func handler(_ interrupt: borrowing SoftInterruptContext, _ tasklet: borrowing Tasklet) {
    tasklet.kill(interrupt)
}
