// futex, set_robust_list, get_robust_list.

import Memory
import Primitives
import Time

extension SystemCalls {
    private enum FutexCommand {
        static let privateFlag: UInt32 = 128  // FUTEX_PRIVATE_FLAG
        static let realtimeFlag: UInt32 = 256  // FUTEX_CLOCK_REALTIME
    }

    static func futex(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let word = arguments.a1.asUInt32
        let isPrivate = word & FutexCommand.privateFlag != 0
        let isRealtime = word & FutexCommand.realtimeFlag != 0
        let command = word & ~(FutexCommand.privateFlag | FutexCommand.realtimeFlag)
        // Only FUTEX_WAIT_BITSET and the priority-inheriting ones know the flag.
        if isRealtime, command != 9 { throw .notImplemented }
        let value = arguments.a2.asUInt32
        // A negative number counts as "all"; as in Linux, 0 still wakes one.
        let count = max(Int(Int32(bitPattern: value)), 1)
        switch command {
        case 0:  // FUTEX_WAIT
            try futexWait(arguments, bits: Futex.anyBits, isPrivate, isAbsolute: false, false, task)
            return 0
        case 9:  // FUTEX_WAIT_BITSET
            try futexWait(
                arguments, bits: arguments.a5.asUInt32, isPrivate, isAbsolute: true, isRealtime, task)
            return 0
        case 1:  // FUTEX_WAKE
            return try Futex.wake(arguments.a0, count: count, isPrivate: isPrivate, task)
        case 10:  // FUTEX_WAKE_BITSET
            return try Futex.wake(
                arguments.a0, count: count, bits: arguments.a5.asUInt32, isPrivate: isPrivate, task)
        case 3, 4:  // FUTEX_REQUEUE, FUTEX_CMP_REQUEUE
            return try Futex.requeue(
                from: arguments.a0, to: arguments.a4, count: Int(Int32(bitPattern: value)),
                moved: Int(arguments.a3.asInt32),
                expected: command == 4 ? arguments.a5.asUInt32 : nil, isPrivate: isPrivate, task)
        case 5:  // FUTEX_WAKE_OP
            return try Futex.wakeAndOperate(
                arguments.a0, arguments.a4, count: count, secondCount: max(Int(arguments.a3.asInt32), 1),
                FutexOperation(encoded: arguments.a5.asUInt32), isPrivate: isPrivate, task)
        default: throw .notImplemented
        }
    }

    private static func futexWait(
        _ arguments: SystemCallArguments, bits: UInt32, _ isPrivate: Bool, isAbsolute: Bool,
        _ isRealtime: Bool, _ task: borrowing TaskContext
    ) throws(Errno) {
        var deadline: Deadline?
        if arguments.a3 != 0 {
            let time = try load(TimeSpecification.self, from: arguments.a3, task).checked()
            deadline =
                isAbsolute ? Deadline(isRealtime ? .realtime : .monotonic, at: time) : .after(time)
        }
        try futexWait(
            FutexWait(
                address: arguments.a0, expected: arguments.a2.asUInt32, bits: bits, isPrivate: isPrivate,
                deadline: deadline), task)
    }

    /// Waits; a wait with a deadline that a signal interrupts goes on with the same deadline.
    static func futexWait(_ wait: FutexWait, _ task: borrowing TaskContext) throws(Errno) {
        do throws(Errno) {
            try Futex.wait(
                wait.address, expected: wait.expected, bits: wait.bits, isPrivate: wait.isPrivate,
                deadline: wait.deadline, task)
        } catch {
            guard error == .restartSystem, wait.deadline != nil else { throw error }
            LinuxTask.current.restart = .futex(wait)
            throw .restartBlock
        }
    }

    static func set_robust_list(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a1 == RobustList.headSize else { throw .invalid }
        LinuxTask.current.robustList = arguments.a0
        return 0
    }

    static func get_robust_list(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let identifier = arguments.a0.asInt32
        let target = identifier == 0 ? LinuxTask.current : ProcessTable.task(identifier)
        guard let target else { throw .noSuchProcess }
        let own = LinuxTask.current.credentials
        if target.process !== LinuxTask.current.process,
            own.userID != target.observedCredentials.userID, !own.isPrivileged
        {
            throw .notPermitted
        }
        try store(RobustList.headSize, to: arguments.a2, task)
        try store(target.robustList, to: arguments.a1, task)
        return 0
    }
}
