// How a call that a signal interrupted goes on in `restart_syscall`: with its first deadline, not with the
// time it was once given.

import Primitives
import Time

/// What `restart_syscall` does.
enum RestartBlock {
    case none
    case futex(FutexWait)
    case sleep(SleepRequest)
    case poll(PollRequest)
}

/// A futex wait with its deadline.
struct FutexWait {
    let address: UInt
    let expected: UInt32
    let bits: UInt32
    let isPrivate: Bool
    let deadline: Deadline?
}

/// A sleep with its end, and where what is left of it is to be stored.
struct SleepRequest {
    let deadline: Deadline
    let remaining: UInt
}

extension SystemCalls {
    static func restart_syscall(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let current = LinuxTask.current
        let restart = current.restart
        current.restart = .none
        switch restart {
        case .none: throw .interrupted
        case .futex(let wait): try futexWait(wait, task)
        case .sleep(let request): try sleep(request, task)
        case .poll(let request): return try poll(request, task)
        }
        return 0
    }
}
