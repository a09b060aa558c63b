// expect: stored property 'task' of 'Escapable'-conforming struct

import Primitives

struct Keeper: ~Copyable {
    var task: TaskContext
}
