// expect: 'task' is borrowed and cannot be consumed

import Primitives

func takes(_ task: consuming TaskContext) {}

func copies(_ task: borrowing TaskContext) { takes(task) }
