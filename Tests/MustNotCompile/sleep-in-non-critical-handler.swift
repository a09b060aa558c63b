// expect: cannot convert value of type 'NonCriticalContext' to expected argument type 'TaskContext'

import Primitives
import Tasks

func handler(_ interrupt: borrowing NonCriticalContext, _ done: borrowing Completion) { done.wait(interrupt) }
