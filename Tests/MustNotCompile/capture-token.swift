// expect: 'task' cannot be captured by an escaping closure since it is a borrowed parameter

import Primitives

func sleeps(_ task: borrowing TaskContext) {}

func captures(_ task: borrowing TaskContext) -> () -> Void {
    { sleeps(task) }
}
